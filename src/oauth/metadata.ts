import * as v from "valibot";
import { answerFault } from "./answer_fault.ts";
import { LoginError } from "../errors.ts";
import { parseJson } from "../json.ts";
import { printable } from "../printable.ts";
import type { Fetch } from "../world.ts";
import { unusable } from "./device_code.ts";
import { readRefusal } from "./error_response.ts";
import { isSameIssuer, type Issuer, parseSecureUrl } from "./issuer.ts";
import { refusedByIssuer } from "./poll_answer.ts";

/** What an issuer says of itself, as far as a sign-in on another device needs it. */
export interface DeviceEndpoints {
  readonly deviceAuthorization: URL;
  readonly token: URL;
  readonly scopes: readonly string[];
}

const LIMITS = { maxLength: 1 << 18, maxDepth: 32 };

const Metadata = v.object({
  issuer: v.string(),
  device_authorization_endpoint: v.string(),
  token_endpoint: v.string(),
  scopes_supported: v.optional(v.array(v.string()), []),
});

/**
 * Reads the issuer's metadata: OpenID Connect's place, then that of OAuth. What is not there, or is no JSON (some sites have a
 * page for everything), or has no such endpoints, is passed over.
 *
 * @returns undefined when neither place names the endpoints.
 * @throws {LoginError} ISSUER_MISMATCH, TOKEN_RESPONSE_INVALID for an endpoint that is not https, AUTHORIZATION_FAILED when it
 * cannot answer, or what the transport throws.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3
 */
export async function requestDeviceEndpoints(
  fetch: Fetch,
  issuer: Issuer,
  signal: AbortSignal,
): Promise<DeviceEndpoints | undefined> {
  const { origin } = new URL(issuer.base);
  const path = issuer.base.slice(origin.length);
  for (
    const address of [
      `${issuer.base}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
    ]
  ) {
    const response = await fetch(address, {
      method: "GET",
      headers: { accept: "application/json" },
      redirect: "manual",
      signal,
    });
    if (response.status >= 500) {
      const refusal = await readRefusal(response, []);
      throw answerFault(response, refusal.description) ??
        refusedByIssuer("The issuer's metadata cannot be read", refusal, response.status);
    }
    if (response.status !== 200) continue;
    const parsed = v.safeParse(Metadata, parseLeniently(await response.text()));
    if (!parsed.success) continue;
    const { issuer: named, ...metadata } = parsed.output;
    if (!isSameIssuer(named, issuer.given)) {
      throw new LoginError("ISSUER_MISMATCH", "The metadata is that of another issuer", {
        reason: `expected ${issuer.given}, got ${printable(named, 100)}`,
      });
    }
    return {
      deviceAuthorization: readAddress(
        issuer,
        metadata.device_authorization_endpoint,
        "device_authorization_endpoint",
      ),
      token: readAddress(issuer, metadata.token_endpoint, "token_endpoint"),
      scopes: metadata.scopes_supported,
    };
  }
  return undefined;
}

/**
 * An address that the issuer names: under the rule for our own, and never weaker than the issuer's.
 *
 * @throws {LoginError} TOKEN_RESPONSE_INVALID
 */
export function readAddress(issuer: Issuer, given: string, member: string): URL {
  try {
    const url = parseSecureUrl(given, member);
    if (url.href.length <= 2_048 && (url.protocol === "https:" || issuer.isLoopbackHttp)) {
      return url;
    }
  } catch {
    // Its words speak of a flag, which this is not.
  }
  throw unusable(`its member "${member}" is not an https address`);
}

function parseLeniently(text: string): unknown {
  try {
    return parseJson(text, LIMITS);
  } catch {
    return undefined;
  }
}
