import { isPrintableAscii } from "./ascii.ts";

/** Bounds for JSON from outside: `maxLength` in UTF-16 units, `maxDepth` in nested arrays and objects. */
export interface JsonLimits {
  readonly maxLength: number;
  readonly maxDepth: number;
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * `JSON.parse` behind limits that are checked before anything is built, so that neither a huge nor a
 * deeply nested document costs memory or stack.
 *
 * @throws {SyntaxError} when the text is too long, too deep or not JSON. The message holds nothing of
 * the text: it may be a token.
 */
export function parseJson(text: string, limits: JsonLimits, reviver?: Reviver): unknown {
  if (text.length > limits.maxLength) throw new SyntaxError("The JSON text is too long");
  if (nestingDepth(text) > limits.maxDepth) {
    throw new SyntaxError("The JSON text is nested too deeply");
  }
  try {
    return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
  } catch {
    throw new SyntaxError("The text is not JSON");
  }
}

/** A JSON object, as opposed to an array, null or a scalar. */
export type JsonObject = { [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One line of JSON in which nothing can move a cursor or hide: control and format characters are written as escapes. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (isPrintableAscii(text)) return text;
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return deepest;
}
