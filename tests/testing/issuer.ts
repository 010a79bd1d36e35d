import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { signJwt } from "./jwt.ts";
import { renderSignIn } from "./sign_in_page.ts";
import { ADA, authClaim, type User } from "./users.ts";

/** What an endpoint does instead of its job. */
export interface Misbehaviour {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Takes the request and never answers. */
  readonly hang?: boolean;
  /** Cuts the connection. */
  readonly reset?: boolean;
  /**
   * Refuses, and says what it was sent: in its words, and in the header that names the request; written as it is, or in the
   * issuer's own way.
   */
  readonly echoes?: boolean | ((sent: string) => string);
  /** Answers properly, but only when this resolves. */
  readonly after?: Promise<void>;
  /** Changes a proper answer. */
  readonly change?: (answer: Record<string, unknown>) => Record<string, unknown>;
}

export type Endpoint =
  | "authorize"
  | "token"
  | "refresh"
  | "apiKey"
  | "revoke"
  | "whoami"
  | "accounts"
  | "deviceCode"
  | "devicePoll";

export interface RecordedRequest {
  readonly endpoint: Endpoint | "other";
  readonly method: string;
  readonly url: URL;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** When it came, by a clock that only goes forward, in ms. */
  readonly at: number;
}

export interface IssuerOptions {
  /** What every code, refresh token and key ends in: characters that each form of writing writes in its own way. */
  readonly secretSuffix?: string;
  /** Who may sign in; without pages the first one does. */
  readonly users?: readonly User[];
  /** Shows a sign-in page with buttons instead of signing in the first user at once. */
  readonly hasPages?: boolean;
  readonly clientId?: string;
  /** Tokens that ChatGPT's API takes although another issuer gave them. */
  readonly knownTokens?: readonly string[];
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Extra or other claims of the ID token. */
  readonly idTokenClaims?: (claims: Record<string, unknown>) => Record<string, unknown>;
  readonly idTokenHeader?: Record<string, unknown>;
  /** Told of each request when it comes, before anything is answered. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

/** An issuer that refuses whatever an issuer has to refuse: a wrong verifier, a used code, another redirect URI. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Set to misbehave, delete to behave. */
  readonly misbehave: Partial<Record<Endpoint, Misbehaviour>>;
  /** Every code, token and key that was ever given out: none may be seen anywhere else. */
  readonly secrets: string[];
  readonly liveRefreshTokens: Set<string>;
  /** Personal access tokens that it knows. */
  readonly personalAccessTokens: Map<string, User>;
  /** Tokens as a finished sign-in gives them. */
  issue(user?: User, lifetimeS?: number): Record<string, string>;
  /** A person enters this code, as it was shown, and signs in with it. */
  enterCode(userCode: string, user?: User): void;
  /** Requests of one endpoint. */
  asked(endpoint: Endpoint): RecordedRequest[];
}

interface Grant {
  readonly user: User;
  readonly redirectUri: string;
  readonly codeChallenge: string;
}

interface Device {
  readonly id: string;
  readonly clientId: string;
  user: User | undefined;
}

class Refusal extends Error {
  constructor(readonly error: unknown, description: string, readonly status = 400) {
    super(description);
  }
}

export async function startIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const users = options.users ?? [ADA];
  const clientId = options.clientId ?? "app_EMoamEEZ73f0CkXaXp7hrann";
  const grants = new Map<string, Grant>();
  const refreshTokens = new Map<string, User>();
  const usedRefreshTokens = new Set<string>();
  const personalAccessTokens = new Map<string, User>();
  const devices = new Map<string, Device>();
  const requests: RecordedRequest[] = [];
  const misbehave: TestIssuer["misbehave"] = {};
  const secrets: string[] = [];
  let url = "";

  function secret(prefix: string): string {
    const value = `${prefix}_${randomBytes(24).toString("base64url")}${options.secretSuffix ?? ""}`;
    secrets.push(value);
    return value;
  }

  /** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 */
  function authorize(query: URLSearchParams): { html: string } | { redirect: string } {
    const redirectUri = query.get("redirect_uri") ?? "";
    const target = new URL(redirectUri);
    if (target.protocol !== "http:" || !target.pathname.endsWith("/auth/callback")) {
      throw new Refusal("invalid_request", "redirect_uri is not registered");
    }
    if (query.get("client_id") !== clientId) throw new Refusal("invalid_client", "unknown client");
    if (query.get("response_type") !== "code") {
      throw new Refusal("unsupported_response_type", "only code");
    }
    const codeChallenge = query.get("code_challenge") ?? "";
    if (query.get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(codeChallenge)) {
      throw new Refusal("invalid_request", "PKCE with S256 is required");
    }
    if (!/^[\w-]{22,}$/.test(query.get("state") ?? "")) {
      throw new Refusal("invalid_request", "state is required");
    }
    const chosen = options.hasPages ? query.get("as") : users[0]?.sub;
    if (chosen === null) return { html: renderSignIn(users, query) };
    const answer = new URLSearchParams({ state: query.get("state") ?? "", iss: url });
    const user = users.find(({ sub }) => sub === chosen);
    if (user) {
      const code = secret("code");
      grants.set(code, { user, redirectUri, codeChallenge });
      answer.set("code", code);
    } else {
      answer.set("error", "access_denied");
      answer.set("error_description", "The person said no");
    }
    return { redirect: `${redirectUri}?${answer}` };
  }

  /** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 */
  function token(form: URLSearchParams): Record<string, unknown> {
    if (form.get("client_id") !== clientId) throw new Refusal("invalid_client", "unknown client");
    switch (form.get("grant_type")) {
      case "authorization_code": {
        const code = form.get("code") ?? "";
        const grant = grants.get(code);
        grants.delete(code);
        if (!grant) throw new Refusal("invalid_grant", "the code is unknown or was used");
        if (form.get("redirect_uri") !== grant.redirectUri) {
          throw new Refusal("invalid_grant", "another redirect_uri");
        }
        const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest(
          "base64url",
        );
        if (challenge !== grant.codeChallenge) {
          throw new Refusal("invalid_grant", "the verifier does not fit the challenge");
        }
        return tokensFor(grant.user);
      }
      case "refresh_token": {
        const token = form.get("refresh_token") ?? "";
        const user = refreshTokens.get(token);
        if (usedRefreshTokens.has(token)) {
          const error = { code: "refresh_token_reused", message: "it was used before" };
          throw new Refusal(error, "", 401);
        }
        if (!user) throw new Refusal("invalid_grant", "the refresh token is unknown");
        refreshTokens.delete(token);
        usedRefreshTokens.add(token);
        return tokensFor(user);
      }
      case "urn:ietf:params:oauth:grant-type:token-exchange":
        if (!secrets.includes(form.get("subject_token") ?? "")) {
          throw new Refusal("invalid_grant", "not an ID token of ours");
        }
        return {
          access_token: secret("sk-test"),
          token_type: "Bearer",
          issued_token_type: "api-key",
        };
      default:
        throw new Refusal("unsupported_grant_type", "not here");
    }
  }

  /** The reference's protocol: the issuer makes the verifier too, and lets itself be asked without a pause. */
  function deviceCode(body: string): Record<string, unknown> {
    const device = { id: secret("deviceauth"), clientId: JSON.parse(body).client_id };
    if (device.clientId !== clientId) throw new Refusal("invalid_client", "unknown client");
    const userCode = randomBytes(5).toString("hex").toUpperCase().replace(/^.{4}/, "$&-");
    devices.set(userCode, { ...device, user: undefined });
    return { device_auth_id: device.id, user_code: userCode, interval: "0" };
  }

  function devicePoll(body: string): Record<string, unknown> {
    const { device_auth_id: id, user_code: userCode } = JSON.parse(body);
    const device = devices.get(userCode);
    if (device?.id !== id || !device?.user) {
      const error = { code: "deviceauth_authorization_unknown", message: "not yet" };
      throw new Refusal(error, "", 403);
    }
    devices.delete(userCode);
    const code = secret("ac");
    const codeVerifier = secret("verifier");
    const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
    const redirectUri = `${url}/deviceauth/callback`;
    grants.set(code, { user: device.user, redirectUri, codeChallenge });
    return {
      authorization_code: code,
      code_challenge: codeChallenge,
      code_verifier: codeVerifier,
    };
  }

  function tokensFor(user: User, lifetimeS = 864_000): Record<string, string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url,
      aud: [clientId],
      sub: user.sub,
      email: user.email,
      iat: now,
      exp: now + 3600,
      jti: randomBytes(8).toString("hex"),
      "https://api.openai.com/auth": authClaim(user),
    };
    const idToken = signJwt(options.idTokenClaims?.(claims) ?? claims, options.idTokenHeader);
    const accessToken = signJwt({ ...claims, scp: ["openid"], exp: now + lifetimeS });
    const refreshToken = secret("rt");
    secrets.push(idToken, accessToken);
    refreshTokens.set(refreshToken, user);
    return {
      token_type: "Bearer",
      expires_in: String(lifetimeS),
      id_token: idToken,
      access_token: accessToken,
      refresh_token: refreshToken,
    };
  }

  function whoami(request: RecordedRequest): Record<string, unknown> {
    const user = personalAccessTokens.get(header(request, "authorization").replace("Bearer ", ""));
    if (!user) throw new Refusal("invalid_token", "unknown", 401);
    return {
      email: user.email,
      chatgpt_user_id: user.sub,
      chatgpt_account_id: user.accountId,
      chatgpt_plan_type: user.plan,
      chatgpt_account_is_fedramp: false,
    };
  }

  /** What ChatGPT's own API says of a person's workspaces. */
  function accounts(request: RecordedRequest): Record<string, unknown> {
    const token = header(request, "authorization").replace("Bearer ", "");
    const known = [...secrets, ...options.knownTokens ?? [], ...personalAccessTokens.keys()];
    if (!known.includes(token)) {
      throw new Refusal("invalid_token", "unknown", 401);
    }
    const own = users.map((user) => ({
      id: user.accountId,
      plan_type: user.plan,
      name: user.workspaceName ?? null,
      structure: "workspace",
      workspace_backend_origin: "NO_CONSTRAINT",
      account_routing_override: "NO_CONSTRAINT",
    }));
    const ids = own.map(({ id }) => id);
    return { accounts: own, account_ordering: ids, default_account_id: ids[0] };
  }

  function revoke(request: RecordedRequest): void {
    const type = header(request, "content-type");
    const revoked = type.startsWith("application/json")
      ? JSON.parse(request.body).token
      : new URLSearchParams(request.body).get("token");
    refreshTokens.delete(revoked);
  }

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const request: RecordedRequest = {
      endpoint: endpointOf(incoming.url ?? "/", body),
      method: incoming.method ?? "",
      url: new URL(incoming.url ?? "/", url),
      rawHeaders: incoming.rawHeaders,
      body,
      at: performance.now(),
    };
    requests.push(request);
    options.onRequest?.(request);
    const wrong = request.endpoint === "other" ? undefined : misbehave[request.endpoint];
    await wrong?.after;
    if (wrong?.hang) return;
    if (wrong?.reset) return void incoming.socket.destroy();
    if (wrong?.echoes) {
      const sent = `${request.body} ${header(request, "authorization")}`;
      const members = [...readMembers(request).values()];
      const secret = members.find((value) => secrets.includes(value)) ?? "invalid_grant";
      const write = typeof wrong.echoes === "function" ? wrong.echoes : (text: string) => text;
      // Node refuses to send a header that is none.
      const id = write(secret).replace(/[^\w.:-]/g, "-").slice(0, 100);
      return sendJson(outgoing, wrong.status ?? 400, {
        error: write(secret),
        error_description: [sent, ...members, ...request.url.searchParams.values()].map(write)
          .join(" "),
        error_uri: `https://issuer.test/?${write(secret)}`,
      }, { "x-request-id": wrong.echoes === true ? encodeURIComponent(sent) : id });
    }
    if (wrong?.status !== undefined) {
      outgoing.writeHead(wrong.status, { "content-type": "application/json", ...wrong.headers });
      return void outgoing.end(wrong.body ?? "");
    }
    const change = wrong?.change ?? ((same: Record<string, unknown>) => same);
    switch (request.endpoint) {
      case "authorize": {
        const result = authorize(request.url.searchParams);
        if ("html" in result) return sendHtml(outgoing, result.html);
        outgoing.writeHead(302, { location: result.redirect });
        return void outgoing.end();
      }
      case "token":
      case "refresh":
      case "apiKey":
        return sendJson(outgoing, 200, change(token(readMembers(request))), wrong?.headers);
      case "whoami":
        return sendJson(outgoing, 200, change(whoami(request)), wrong?.headers);
      case "accounts":
        return sendJson(outgoing, 200, change(accounts(request)), wrong?.headers);
      case "deviceCode":
        return sendJson(outgoing, 200, change(deviceCode(body)), wrong?.headers);
      case "devicePoll":
        return sendJson(outgoing, 200, change(devicePoll(body)), wrong?.headers);
      case "revoke":
        revoke(request);
        return sendJson(outgoing, 200, {});
      default:
        return sendJson(outgoing, 404, { error: "not_found" });
    }
  }

  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answer(incoming, outgoing).catch((thrown) => {
      const refusal = thrown instanceof Refusal
        ? thrown
        : new Refusal("server_error", String(thrown));
      const { error, message } = refusal;
      sendJson(outgoing, refusal.status, { error, error_description: message });
    });
  };
  const server: Server = options.tls
    ? createTlsServer(options.tls, onRequest)
    : createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  url = options.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;

  return {
    url,
    requests,
    misbehave,
    secrets,
    get liveRefreshTokens(): Set<string> {
      return new Set(refreshTokens.keys());
    },
    personalAccessTokens,
    issue: (user = users[0] ?? ADA, lifetimeS) => tokensFor(user, lifetimeS),
    enterCode(userCode, user = users[0] ?? ADA): void {
      const device = devices.get(userCode);
      if (!device) throw new Error(`nobody was given the code ${userCode}`);
      device.user = user;
    },
    asked: (endpoint) => requests.filter((request) => request.endpoint === endpoint),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function endpointOf(path: string, body: string): Endpoint | "other" {
  if (path.startsWith("/oauth/authorize")) return "authorize";
  if (path.startsWith("/oauth/token")) {
    if (body.includes("token-exchange")) return "apiKey";
    return body.includes('"refresh_token"') || body.includes("=refresh_token")
      ? "refresh"
      : "token";
  }
  if (path === "/api/accounts/deviceauth/usercode") return "deviceCode";
  if (path === "/api/accounts/deviceauth/token") return "devicePoll";
  if (path.endsWith("/v1/user-auth-credential/whoami")) return "whoami";
  if (path === "/backend-api/wham/accounts/check") return "accounts";
  return path.startsWith("/oauth/revoke") ? "revoke" : "other";
}

/** A refresh comes in JSON, all else as a form. */
function readMembers(request: RecordedRequest): URLSearchParams {
  return new URLSearchParams(
    header(request, "content-type").startsWith("application/json")
      ? JSON.parse(request.body)
      : request.body,
  );
}

export function header({ rawHeaders }: RecordedRequest, name: string): string {
  const at = rawHeaders.findIndex((one, i) => i % 2 === 0 && one.toLowerCase() === name);
  return at < 0 ? "" : rawHeaders[at + 1] ?? "";
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

function sendHtml(outgoing: ServerResponse, html: string): void {
  outgoing.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
  outgoing.end(html);
}

function sendJson(
  outgoing: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  outgoing.writeHead(status, { "content-type": "application/json", ...headers });
  outgoing.end(JSON.stringify(value));
}
