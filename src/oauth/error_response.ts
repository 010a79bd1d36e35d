import { isJsonObject, parseJson } from "../json.ts";
import { printable } from "../printable.ts";

const LIMITS = { maxLength: 1 << 20, maxDepth: 32 };

/**
 * One line on why the issuer refused: the HTTP status and the issuer's own words, cleaned, cut, and without
 * any of the `secrets` we sent, should it echo them.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export async function describeRefusal(
  response: Response,
  secrets: readonly string[],
): Promise<string> {
  const status = `HTTP ${response.status}`;
  const words = issuerWords(await response.text().catch(() => ""), response.headers);
  return words ? `${status}, ${printable(words, undefined, secrets)}` : status;
}

function issuerWords(body: string, headers: Headers): string {
  let document: unknown;
  try {
    document = parseJson(body, LIMITS);
  } catch {
    const type = headers.get("content-type") ?? "";
    if (/html/i.test(type) || /^\s*</.test(body)) return "an HTML page instead of JSON";
    return body.trim();
  }
  if (!isJsonObject(document)) return "";
  const nested = isJsonObject(document["error"]) ? document["error"] : undefined;
  const code = text(document["error"]) ?? text(nested?.["code"]);
  const description = text(document["error_description"]) ?? text(nested?.["message"]);
  return [code, description].filter((part) => part !== undefined).join(": ");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
