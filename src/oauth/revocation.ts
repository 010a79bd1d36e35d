import { LoginError } from "../errors.ts";
import { querySecrets } from "../redaction.ts";
import type { Fetch } from "../world.ts";
import { type ClientRequest, postAsClient } from "./client_post.ts";
import { describeRefusal } from "./error_response.ts";
import { FORM_HEADERS } from "./token.ts";

export interface RevocationRequest extends ClientRequest {
  readonly token: string;
  readonly tokenTypeHint: "refresh_token" | "access_token";
  /** Sent with a refresh token only, as the reference does. */
  readonly clientId: string;
}

/**
 * Ends a grant at the issuer. It is asked in JSON, as the reference asks the default issuer; an issuer that cannot
 * read that (400 or 415) is asked once more in the form of RFC 7009.
 *
 * @throws {LoginError} TOKEN_ENDPOINT when the issuer refuses, or what the transport throws.
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
 */
export async function revokeToken(
  fetch: Fetch,
  request: RevocationRequest,
  signal: AbortSignal,
): Promise<void> {
  const { token, tokenTypeHint, clientId } = request;
  const members: Record<string, string> = { token, token_type_hint: tokenTypeHint };
  if (tokenTypeHint === "refresh_token") members["client_id"] = clientId;
  const post = (body: string, type: string): Promise<Response> =>
    postAsClient(fetch, request, body, type, { signal });

  let response = await post(JSON.stringify(members), "application/json");
  if (response.status === 400 || response.status === 415) {
    const form = new URLSearchParams({ ...members, client_id: clientId });
    response = await post(form.toString(), FORM_HEADERS["content-type"]);
  }
  if (response.status < 200 || response.status > 299) {
    throw new LoginError("TOKEN_ENDPOINT", "The issuer refused the revocation", {
      reason: await describeRefusal(response, [token, ...querySecrets(request.endpoint)]),
    });
  }
}
