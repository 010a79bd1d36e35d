import { LoginError } from "../errors.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { printable } from "../printable.ts";
import { withoutSecrets } from "../redaction.ts";

const LIMITS = { maxLength: 1 << 20, maxDepth: 32 };
/** Of what an issuer says so much is looked at, though less is shown: what was sent is looked for in all of it. */
const MAX_WORDS = 1 << 13;

/** Why an issuer refused: for people, and for those who have to act on it. */
export interface Refusal {
  readonly description: string;
  /** The issuer's own error code in lower case, empty without one. */
  readonly code: string;
}

/**
 * One line on why the issuer refused: the HTTP status and the issuer's own words, cleaned, cut, and without
 * any of the `secrets` we sent, should it echo them.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export async function describeRefusal(
  response: Response,
  secrets: readonly string[],
): Promise<string> {
  return (await readRefusal(response, secrets)).description;
}

export async function readRefusal(
  response: Response,
  secrets: readonly string[],
): Promise<Refusal> {
  const status = `HTTP ${response.status}`;
  const { code, words } = issuerWords(await response.text().catch(() => ""), response.headers);
  return {
    description: words ? `${status}, ${printable(words, undefined, secrets)}` : status,
    code: code.toLowerCase(),
  };
}

/** Where issuers, and what stands before them, name a request, so that their support can find it. */
const REQUEST_ID_HEADERS = ["x-request-id", "x-oai-request-id", "request-id", "cf-ray"];

/** @param secrets what was sent: a name in which one of them is written is none. */
export function readRequestId(
  headers: Headers,
  secrets: readonly string[] = [],
): string | undefined {
  return REQUEST_ID_HEADERS.map((name) => headers.get(name)).find((id) =>
    id !== null && /^[\w.:-]{1,100}$/.test(id) && withoutSecrets(id, secrets) === id
  ) ?? undefined;
}

/**
 * The issuer's own error code, if it looks like one: small letters joined by underscores, which no secret is. Anything
 * else is told as `other`.
 */
export async function readErrorCode(response: Response): Promise<string | undefined> {
  const { code } = issuerWords(await response.text().catch(() => ""), response.headers);
  if (code === "") return undefined;
  return /^[a-z]{2,20}(_[a-z]{1,20}){0,7}$/.test(code) ? code : "other";
}

/**
 * The person, or the workspace for them, said no.
 *
 * @param reason cleaned, for people.
 * @param description the issuer's own words, which may tell which of the two it was.
 */
export function accessDenied(reason: string, description: string): LoginError {
  return /missing_codex_entitlement/i.test(description)
    ? new LoginError("ENTITLEMENT", "Codex is not enabled for your workspace", { reason })
    : new LoginError("ACCESS_DENIED", "The sign-in was not allowed at the issuer", { reason });
}

function issuerWords(body: string, headers: Headers): { code: string; words: string } {
  let document: unknown;
  try {
    document = parseJson(body, LIMITS);
  } catch {
    const type = headers.get("content-type") ?? "";
    const isHtml = /html/i.test(type) || /^\s*</.test(body);
    return {
      code: "",
      words: isHtml ? "an HTML page instead of JSON" : body.trim().slice(0, MAX_WORDS),
    };
  }
  if (!isJsonObject(document)) return { code: "", words: "" };
  const nested = isJsonObject(document["error"]) ? document["error"] : undefined;
  const code = text(nested?.["code"]) ?? text(document["error"]) ?? text(document["code"]);
  const description = text(document["error_description"]) ?? text(nested?.["message"]);
  return {
    code: code ?? "",
    words: [code, description].filter((part) => part !== undefined).join(": ").slice(0, MAX_WORDS),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
