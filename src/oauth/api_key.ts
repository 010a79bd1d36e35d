import * as v from "valibot";
import { parseJson } from "../json.ts";
import type { Fetch } from "../world.ts";
import type { Client } from "./attempt.ts";
import { FORM_HEADERS } from "./token.ts";

/** The exchange is a kindness of the issuer: it may take this long and no longer, in ms. */
const LIMIT_MS = 5_000;

const ApiKeyResponse = v.object({
  access_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/), v.maxLength(4096)),
});

/**
 * Asks for an API key on top of the tokens. Best effort: without one a sign-in is just as good, so every failure
 * is undefined.
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 */
export async function exchangeIdTokenForApiKey(
  fetch: Fetch,
  client: Client,
  idToken: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(`${client.issuer.base}/oauth/token`, {
      method: "POST",
      headers: FORM_HEADERS,
      body: new URLSearchParams([
        ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
        ["client_id", client.clientId],
        ["requested_token", "openai-api-key"],
        ["subject_token", idToken],
        ["subject_token_type", "urn:ietf:params:oauth:token-type:id_token"],
      ]).toString(),
      redirect: "manual",
      limitMs: LIMIT_MS,
      signal,
    });
    if (response.status !== 200) return undefined;
    const document = parseJson(await response.text(), { maxLength: 1 << 16, maxDepth: 32 });
    return v.parse(ApiKeyResponse, document).access_token;
  } catch {
    return undefined;
  }
}
