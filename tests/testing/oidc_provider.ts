import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import Provider from "oidc-provider";
import { ADA, authClaim } from "./users.ts";

const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

export interface JudgingIssuer extends AsyncDisposable {
  readonly url: string;
  readonly clientId: string;
  /** Every error that the provider answered with. */
  readonly errors: string[];
  /** A refresh in the provider's own form, as a third party would do it. */
  refresh(refreshToken: string): Promise<{ status: number; body: Record<string, unknown> }>;
}

/**
 * `oidc-provider`, an OpenID-certified server by others, set up as strictly as it goes: PKCE required, redirect URIs
 * exact but for the loopback port, refresh tokens rotated, and a token exchange of the kind that we ask for.
 */
export async function startOidcProvider(): Promise<JudgingIssuer> {
  const clientId = "codex-login-test";
  const errors: string[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;

  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(url, {
    clients: [{
      client_id: clientId,
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/auth/callback"],
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token", DEVICE_CODE, TOKEN_EXCHANGE],
    }],
    routes: {
      authorization: "/oauth/authorize",
      token: "/oauth/token",
      revocation: "/oauth/revoke",
    },
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      deviceFlow: { enabled: true },
    },
    pkce: { required: () => true },
    scopes: ["openid", "offline_access", "api.connectors.read", "api.connectors.invoke"],
    claims: {
      openid: ["sub"],
      email: ["email"],
      profile: ["https://api.openai.com/auth"],
    },
    conformIdTokenClaims: false,
    issueRefreshToken: () => Promise.resolve(true),
    rotateRefreshToken: true,
    extraParams: [
      "id_token_add_organizations",
      "codex_cli_simplified_flow",
      "originator",
      "allowed_workspace_id",
    ],
    jwks: {
      keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "test" }],
    },
    cookies: { keys: ["a key of these tests"] },
    findAccount: (_: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({
        sub,
        email: `${sub}@example.com`,
        "https://api.openai.com/auth": { ...authClaim(ADA), chatgpt_user_id: sub },
      }),
    }),
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    (ctx: { oidc: { params: Record<string, string> }; body: unknown }) => {
      const { requested_token, subject_token, subject_token_type } = ctx.oidc.params;
      const isRight = requested_token === "openai-api-key" &&
        subject_token?.split(".").length === 3 &&
        subject_token_type === "urn:ietf:params:oauth:token-type:id_token";
      ctx.body = isRight
        ? { access_token: "sk-judge-0123456789", token_type: "Bearer" }
        : { error: "invalid_grant" };
    },
    ["requested_token", "subject_token", "subject_token_type"],
  );
  for (const event of ["server_error", "grant.error", "authorization.error", "revocation.error"]) {
    provider.on(event, (_: unknown, error: Error & { error_description?: string }) => {
      errors.push(`${event}: ${error.message} ${error.error_description ?? ""}`);
    });
  }
  server.on("request", provider.callback() as RequestListener);

  return {
    url,
    clientId,
    errors,
    async refresh(refreshToken): Promise<{ status: number; body: Record<string, unknown> }> {
      const response = await fetch(`${url}/oauth/token`, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "refresh_token",
          client_id: clientId,
          refresh_token: refreshToken,
        }),
      });
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
