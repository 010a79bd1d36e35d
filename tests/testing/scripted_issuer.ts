import { randomBytes } from "node:crypto";
import { calculateCodeChallenge } from "../../src/oauth/pkce.ts";
import type { Fetch, FetchInit } from "../../src/world.ts";
import { signJwt } from "./jwt.ts";
import { ADA, authClaim, type User } from "./users.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** An answer, a network error, or none until the caller gives up. */
export type Reply =
  | {
    readonly status?: number;
    readonly headers?: Record<string, string>;
    /** An object becomes JSON. */
    readonly body?: unknown;
  }
  | Error
  | "hang";

/** By path, or by the whole address for another origin: what is answered, one after the other, the last one again and again. */
export type Script = Record<string, Reply | readonly Reply[]>;

export interface Call {
  /** Without the issuer's origin. */
  readonly path: string;
  readonly init: FetchInit;
  /** By the clock, in ms. */
  readonly at: number;
}

export interface ScriptedIssuer {
  readonly url: string;
  readonly fetch: Fetch;
  readonly calls: Call[];
  /** What it gave out, but for the code that a person has to see. */
  readonly secrets: string[];
  /** Called with each request before it is answered. */
  onCall: (call: Call) => void;
  to(path: string): Call[];
}

export const USERCODE = "/api/accounts/deviceauth/usercode";
export const POLL = "/api/accounts/deviceauth/token";
export const TOKEN = "/oauth/token";
export const USER_CODE = "ABCD-12345";

export const PENDING: Reply = {
  status: 403,
  body: { error: { code: "deviceauth_authorization_unknown", message: "wait" } },
};

/** The secrets of one sign-in: new for each, and in nothing else. */
export interface Secrets {
  readonly deviceAuthId: string;
  readonly code: string;
  readonly codeVerifier: string;
  readonly codeChallenge: string;
}

export async function createSecrets(): Promise<Secrets> {
  const secret = (name: string): string => `${name}_${randomBytes(32).toString("base64url")}`;
  const codeVerifier = secret("verifier");
  return {
    deviceAuthId: secret("deviceauth"),
    code: secret("ac"),
    codeVerifier,
    codeChallenge: await calculateCodeChallenge(codeVerifier),
  };
}

/** The proper answers of the reference's protocol. */
export function properScript(secrets: Secrets, interval: unknown = "5"): Record<string, Reply> {
  return {
    [USERCODE]: {
      body: {
        device_auth_id: secrets.deviceAuthId,
        user_code: USER_CODE,
        ...(interval === undefined ? {} : { interval }),
      },
    },
    [POLL]: {
      body: {
        authorization_code: secrets.code,
        code_challenge: secrets.codeChallenge,
        code_verifier: secrets.codeVerifier,
        extra: true,
      },
    },
  };
}

/** An issuer that answers as it is told, without a socket. Tokens that it gives stop the clock. */
export function scriptIssuer(
  clock: VirtualClock,
  script: Script,
  { url = "https://issuer.test", secrets = [], user = ADA }: {
    url?: string;
    secrets?: readonly string[];
    user?: User;
  } = {},
): ScriptedIssuer {
  const tokens = tokensFor(url, user, clock.now());
  const full: Script = { [TOKEN]: { body: tokens }, ...script };
  const counts = new Map<string, number>();
  const issuer: ScriptedIssuer = {
    url,
    calls: [],
    secrets: [...secrets, tokens["id_token"], tokens["access_token"], tokens["refresh_token"]]
      .filter((one) => one !== undefined),
    onCall: () => {},
    to: (path) => issuer.calls.filter((call) => call.path === path),
    async fetch(address, init): Promise<Response> {
      const path = address.startsWith(url) ? address.slice(url.length) : address;
      const call = { path, init, at: clock.elapsed() };
      issuer.calls.push(call);
      issuer.onCall(call);
      init.signal?.throwIfAborted();
      const count = counts.get(path) ?? 0;
      counts.set(path, count + 1);
      const replies = [full[path] ?? { status: 404, body: { error: "not_found" } }]
        .flat() as Reply[];
      const reply = replies[Math.min(count, replies.length - 1)] ?? "hang";
      if (reply instanceof Error) throw reply;
      if (reply === "hang") {
        return await new Promise((_, reject) => {
          init.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
        });
      }
      const { status = 200, headers = {}, body = {} } = reply;
      const text = typeof body === "string" ? body : JSON.stringify(body);
      if (status === 200 && text.includes('"access_token"')) clock.stop();
      return new Response(text, {
        status,
        headers: { "content-type": "application/json", ...headers },
      });
    },
  };
  return issuer;
}

/** Tokens as a finished sign-in at this issuer gives them. */
export function tokensFor(
  issuer: string,
  user: User,
  now: number,
  changes: Record<string, unknown> = {},
): Record<string, string> {
  const seconds = Math.floor(now / 1000);
  const claims = {
    iss: issuer,
    aud: ["app_EMoamEEZ73f0CkXaXp7hrann"],
    sub: user.sub,
    email: user.email,
    iat: seconds,
    exp: seconds + 3600,
    "https://api.openai.com/auth": authClaim(user),
    ...changes,
  };
  return {
    id_token: signJwt(claims),
    access_token: signJwt({ ...claims, scp: ["openid"] }),
    refresh_token: `rt_${randomBytes(24).toString("base64url")}`,
    token_type: "Bearer",
  };
}
