import * as v from "valibot";
import { LoginError } from "../errors.ts";
import { parseJson } from "../json.ts";
import type { Fetch } from "../world.ts";
import { answerFault, withRequestId } from "./answer_fault.ts";
import type { CodeGrant } from "./attempt.ts";
import { describeRefusal } from "./error_response.ts";

/** What the issuer gave for the code. Each is a secret. */
export interface TokenSet {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The issuer's own clock when it answered, in ms since the epoch, where it told. */
  readonly answeredAt: number | undefined;
}

const LIMITS = { maxLength: 1 << 20, maxDepth: 32 };

/** 1*VSCHAR (RFC 6749 A.12): anything else could not be sent in a header again. */
export const TokenText = v.pipe(v.string(), v.regex(/^[\x20-\x7e]+$/), v.maxLength(65_536));

/**
 * `token_type` is not demanded, because the reference never has; when it is there it has to be Bearer. Members
 * that are not ours are ignored.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
const TokenResponse = v.object({
  id_token: TokenText,
  access_token: TokenText,
  refresh_token: TokenText,
  token_type: v.optional(v.pipe(v.string(), v.regex(/^bearer$/i))),
});

export const FORM_HEADERS = {
  "content-type": "application/x-www-form-urlencoded",
  accept: "*/*",
} as const;

/**
 * Trades the authorization code for tokens. The members and their order are the reference's.
 *
 * @throws {LoginError} TOKEN_ENDPOINT, TOKEN_RESPONSE_INVALID, or what the transport throws.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.5
 */
export async function exchangeAuthorizationCode(
  fetch: Fetch,
  attempt: CodeGrant,
  code: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<TokenSet> {
  const response = await fetch(`${attempt.issuer.base}/oauth/token`, {
    method: "POST",
    headers: FORM_HEADERS,
    body: new URLSearchParams([
      ["grant_type", "authorization_code"],
      ["client_id", attempt.clientId],
      ["code", code],
      ["redirect_uri", attempt.redirectUri],
      ["code_verifier", attempt.codeVerifier],
    ]).toString(),
    redirect: "manual",
    limitMs,
    signal,
  });
  if (response.status !== 200) {
    const secrets = [code, attempt.codeVerifier, attempt.state ?? ""];
    const words = await describeRefusal(response, secrets);
    throw answerFault(response, words, secrets) ??
      new LoginError("TOKEN_ENDPOINT", "The issuer's token endpoint refused the sign-in", {
        reason: withRequestId(words, response.headers, secrets),
        status: response.status,
      });
  }
  return readTokenResponse(response);
}

/** The pure half: a 200 answer to a TokenSet. */
export async function readTokenResponse(response: Response): Promise<TokenSet> {
  const { id_token, access_token, refresh_token } = await readTokenAnswer(response, TokenResponse);
  return {
    idToken: id_token,
    accessToken: access_token,
    refreshToken: refresh_token,
    answeredAt: readDate(response),
  };
}

/** The issuer's own clock when it answered, in ms since the epoch, where it told. */
export function readDate(response: Response): number | undefined {
  const at = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/**
 * The members of an answer of the token endpoint.
 *
 * @param anyType takes JSON whatever the content type says.
 * @throws {LoginError} TOKEN_RESPONSE_INVALID, which names a member at most.
 */
export async function readTokenAnswer<S extends v.GenericSchema>(
  response: Response,
  schema: S,
  { anyType } = { anyType: false },
): Promise<v.InferOutput<S>> {
  const type = response.headers.get("content-type") ?? "";
  if (!anyType && !/^application\/json\s*(;|$)/i.test(type)) {
    if (/html/i.test(type)) {
      throw new LoginError("CAPTIVE_PORTAL", "A web page answered in the issuer's place", {
        reason: "an HTML page instead of JSON",
      });
    }
    throw invalid("its content type is not application/json");
  }
  let document: unknown;
  try {
    document = parseJson(await response.text(), LIMITS);
  } catch (thrown) {
    throw invalid(thrown instanceof SyntaxError ? thrown.message : "it cannot be read");
  }
  const parsed = v.safeParse(schema, document);
  if (!parsed.success) {
    const member = v.getDotPath(parsed.issues[0]);
    throw invalid(member ? `its member "${member}" is missing or unusable` : "it is not an object");
  }
  return parsed.output;
}

function invalid(reason: string): LoginError {
  return new LoginError("TOKEN_RESPONSE_INVALID", "The issuer's answer is not usable", {
    reason,
  });
}
