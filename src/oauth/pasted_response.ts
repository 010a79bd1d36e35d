/** Longer is no address of ours; see security requirement S22. */
export const MAX_PASTED_LENGTH = 16_384;

/** What a person has pasted: the parameters of a redirect address, a bare code, or something else, and why that is no use. */
export type PastedResponse =
  | { readonly kind: "parameters"; readonly parameters: URLSearchParams }
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "unusable"; readonly reason: string };

/** The shortest and the longest code that is believed to be one: what a key press or a sentence is not. */
const BARE_CODE = /^[\w.~+/-]{16,2048}=*$/;

/** Keys and tokens begin so, and no authorization code does: they must not go to the issuer as one. */
const SECRET = /^(?:sk-|at-|rt[-_.]|eyJ|gh[a-z]_)/;

/**
 * Reads the address that the browser ended at, as terminals and chat programs leave it: wrapped over lines, in quotes, as a
 * curl command, with `&amp;`, without its scheme or with its query alone. A bare code is taken too: it is bound to the verifier
 * of this attempt, so nobody else's is of any use.
 *
 * Nothing is repeated of what was pasted: it may be a secret.
 */
export function readPastedResponse(pasted: string): PastedResponse {
  if (pasted.length > MAX_PASTED_LENGTH) return unusable("it is too long to be an address");
  const text = unquote(pasted.replace(/[\s\p{C}]+/gu, "").replaceAll("&amp;", "&"));
  if (text === "") return unusable("it is empty");
  const query = /^[^?]*\?(.*)$/.exec(text)?.[1] ??
    (/^(?:code|state|error|iss|scope)=/.test(text) ? text : undefined);
  if (query === undefined) {
    if (SECRET.test(text)) return unusable("it looks like a key or a token, and was not sent");
    if (BARE_CODE.test(text) && !/^https?:/i.test(text)) return { kind: "code", code: text };
    return unusable("it is neither the redirect address nor a code");
  }
  const parameters = new URLSearchParams(unquote(query.replace(/#.*$/, "")));
  if (parameters.has("response_type")) {
    return unusable("it is the address to open; paste the one that the browser ends at");
  }
  if (parameters.has("code") || parameters.has("error")) return { kind: "parameters", parameters };
  return unusable("it has no code in it; copy the whole address");
}

function unquote(text: string): string {
  const bare = text.replace(/^curl(?:-\w+)*(?=['"h])/i, "");
  // Looking back keeps a long row of them from being tried from each of its members.
  return bare.replace(/^[\s'"`<(\[]+|(?<![\s'"`>)\]])[\s'"`>)\]]+$/g, "");
}

function unusable(reason: string): PastedResponse {
  return { kind: "unusable", reason };
}
