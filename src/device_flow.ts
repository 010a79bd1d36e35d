import type { Config } from "./config.ts";
import { LoginError } from "./errors.ts";
import { exchangeCode } from "./exchange.ts";
import { pollDeviceToken, requestUserCode } from "./oauth/device.ts";
import type { DeviceCode } from "./oauth/device_code.ts";
import { pollTokenEndpoint, requestDeviceAuthorization } from "./oauth/device_grant.ts";
import { isDefaultIssuer } from "./oauth/issuer.ts";
import { type DeviceEndpoints, requestDeviceEndpoints } from "./oauth/metadata.ts";
import type { PollAnswer } from "./oauth/poll_answer.ts";
import type { TokenSet } from "./oauth/token.ts";
import type { World } from "./world.ts";

/** Gets the tokens of a sign-in that the person has completed. */
export type Redeem = () => Promise<TokenSet>;

/** A sign-in with a device code under way, whichever protocol the issuer speaks. */
export interface DeviceFlow {
  readonly code: DeviceCode;
  /** Asks once, within so many ms, whether the person is done. */
  poll(limitMs: number): Promise<PollAnswer<Redeem>>;
}

type Note = (message: string) => void;
type DeviceClient = Pick<Config, "issuer" | "clientId" | "isIssuerNamed">;

type FlowWorld = Pick<World, "elapsed" | "fetch" | "log" | "now" | "sleep" | "signal">;

/**
 * Asks the issuer for a code: in the reference's protocol, and where that is not spoken (404), unless it is the default issuer,
 * in that of RFC 8628, as the issuer's metadata has it.
 *
 * @throws {LoginError} DEVICE_CODE_UNAVAILABLE, AUTHORIZATION_FAILED, TOKEN_RESPONSE_INVALID, ISSUER_MISMATCH, or what the
 * transport throws.
 */
export async function startDeviceFlow(
  world: FlowWorld,
  client: DeviceClient,
  note: Note,
): Promise<DeviceFlow> {
  const { fetch, signal } = world;
  const own = await requestUserCode(fetch, client, world.now(), signal);
  if (own) {
    for (const secret of [own.deviceAuthId, own.sentUserCode, own.userCode]) {
      world.log.hide(secret);
    }
    return {
      code: own,
      async poll(limitMs): Promise<PollAnswer<Redeem>> {
        const now = world.now();
        const answer = await pollDeviceToken(fetch, client, own, { limitMs, now, signal });
        if (answer.kind !== "granted") return answer;
        const { grant } = answer;
        for (const secret of [grant.code, grant.codeVerifier]) world.log.hide(secret);
        return {
          kind: "granted",
          grant: () =>
            exchangeCode(world, grant, grant.code, ({ code }) => {
              note(`The issuer could not be reached (${code}); trying again.`);
            }),
        };
      },
    };
  }
  if (isDefaultIssuer(client.issuer)) throw unavailable("default");
  const endpoints = await requestDeviceEndpoints(fetch, client.issuer, signal);
  if (!endpoints) throw unavailable("other");
  return await startStandardFlow(world, client, endpoints, note);
}

/** @see https://www.rfc-editor.org/rfc/rfc8628 */
async function startStandardFlow(
  world: FlowWorld,
  client: DeviceClient,
  endpoints: DeviceEndpoints,
  note: Note,
): Promise<DeviceFlow> {
  const { fetch, signal } = world;
  const { issuer: { base }, isIssuerNamed } = client;
  const tellOrigin = (what: string, url: URL): void => {
    if (url.origin === new URL(base).origin) return;
    if (isIssuerNamed) {
      return note(`Warning: ${what} is not at the issuer ${base} but at ${url.origin}.`);
    }
    throw new LoginError("ISSUER_MISMATCH", "The issuer leads to another origin than its own", {
      reason: `${what} is at ${url.origin}`,
      hint: `name the issuer if you trust it: --issuer ${base}`,
    });
  };
  tellOrigin("the endpoint that gives the code", endpoints.deviceAuthorization);
  tellOrigin("the endpoint that gives the tokens", endpoints.token);
  const now = world.now();
  const own = await requestDeviceAuthorization(fetch, client, endpoints, now, signal);
  for (const secret of [own.deviceCode, own.userCode]) world.log.hide(secret);
  tellOrigin("the address to open", new URL(own.verificationUrl));
  if (endpoints.token.href !== `${base}/oauth/token`) {
    note(
      "This issuer renews tokens at an address of its own: when the login expires, sign in again.",
    );
  }
  return {
    code: own,
    async poll(limitMs): Promise<PollAnswer<Redeem>> {
      const limits = { limitMs, now: world.now(), signal };
      const answer = await pollTokenEndpoint(fetch, client, endpoints, own.deviceCode, limits);
      if (answer.kind !== "granted") return answer;
      return { kind: "granted", grant: () => Promise.resolve(answer.grant) };
    },
  };
}

function unavailable(issuer: "default" | "other"): LoginError {
  const what = issuer === "default"
    ? "Signing in with a device code is turned off for this ChatGPT account or workspace"
    : "This issuer does not offer sign-in with a device code, or it is turned off there";
  return new LoginError("DEVICE_CODE_UNAVAILABLE", what, {
    reason:
      "HTTP 404; ChatGPT turns it on under Settings > Security, a workspace's administrator under Workspace settings > Permissions",
    hint:
      "codex-login; from another machine ssh -L 1455:127.0.0.1:1455 THIS-HOST first, or codex-login --paste; or printenv OPENAI_API_KEY | codex-login login --with-api-key",
    status: 404,
  });
}
