import { LoginError } from "../errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json.ts";
import { isSameIssuer, type Issuer } from "./issuer.ts";

const MAX_TOKEN_LENGTH = 65_536;
const LIMITS = { maxLength: MAX_TOKEN_LENGTH, maxDepth: 32 };
/** Seconds that two clocks may differ. */
const LEEWAY_S = 300;

/**
 * The claims of a JWT: the payload of three non-empty parts, a JSON object in UTF-8. It adds no trust: nothing here
 * says who made the token.
 *
 * @throws {LoginError} ID_TOKEN_INVALID
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export function decodeClaims(token: string): JsonObject {
  return decodeObject(splitJwt(token)[1]);
}

function decodeJwt(token: string): { header: JsonObject; claims: JsonObject } {
  const [header, payload, signature] = splitJwt(token);
  decodePart(signature);
  return { header: decodeObject(header), claims: decodeObject(payload) };
}

function splitJwt(token: string): [header: string, payload: string, signature: string] {
  if (token.length > MAX_TOKEN_LENGTH) throw invalid("it is longer than 64 kB");
  const parts = token.split(".");
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || !signature) {
    throw invalid("it has not three parts");
  }
  return [header, payload, signature];
}

export interface IdTokenExpectations {
  readonly issuer: Issuer;
  readonly clientId: string;
  /** The local clock, ms since the epoch. */
  readonly now: number;
  /** The issuer's clock, from the `Date` of its answer. */
  readonly answeredAt: number | undefined;
}

export interface ValidIdToken {
  readonly claims: JsonObject;
  /** Seconds that the local clock is ahead of the issuer's, when that is too far to judge times by it. */
  readonly clockOffset: number | undefined;
}

/**
 * Checks an ID token that came straight from the token endpoint. The signature need not be checked then: TLS has
 * vouched for the issuer. From an `https` issuer `iss`, `aud`, `exp` and an `alg` that signs are demanded; from a
 * loopback `http` issuer, which is for development, they are checked where present.
 *
 * @throws {LoginError} ID_TOKEN_INVALID
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export function validateIdToken(idToken: string, expected: IdTokenExpectations): ValidIdToken {
  const { header, claims } = decodeJwt(idToken);
  // It lists what has to be understood, and nothing of that kind is (RFC 7515, 4.1.11).
  if (header["crit"] !== undefined) throw invalid("it asks for an extension (crit)");
  const isDemanded = !expected.issuer.isLoopbackHttp;
  const alg = header["alg"];
  if (isDemanded || alg !== undefined) {
    if (typeof alg !== "string" || !/^(?!none$|hs)[a-z][\w-]{1,30}$/i.test(alg)) {
      throw invalid("its alg does not sign it");
    }
  }
  const iss = claims["iss"];
  if (isDemanded || iss !== undefined) {
    if (typeof iss !== "string" || !isSameIssuer(iss, expected.issuer.given)) {
      throw invalid("its iss is not the issuer that was asked");
    }
  }
  validateAudience(claims, expected.clientId, isDemanded);
  return { claims, clockOffset: validateTimes(claims, expected, isDemanded) };
}

function validateAudience(claims: JsonObject, clientId: string, isDemanded: boolean): void {
  const { aud, azp } = claims;
  if (isDemanded || aud !== undefined) {
    const audiences = Array.isArray(aud) ? aud : [aud];
    if (!audiences.includes(clientId)) throw invalid("its aud is not this client");
    if (audiences.length > 1 && azp !== clientId) throw invalid("it is meant for others too");
  }
  if (azp !== undefined && azp !== clientId) throw invalid("its azp is not this client");
}

/** A wrong local clock never refuses a fresh login: then the issuer's own clock judges. */
function validateTimes(
  claims: JsonObject,
  { now, answeredAt }: IdTokenExpectations,
  isDemanded: boolean,
): number | undefined {
  const local = now / 1000;
  const remote = answeredAt === undefined ? local : answeredAt / 1000;
  const offset = Math.round(local - remote);
  const isOff = Math.abs(offset) > LEEWAY_S;
  const judge = isOff ? remote : local;
  const { exp, iat, nbf } = claims;
  if (isDemanded || exp !== undefined) {
    if (!isTime(exp)) throw invalid("its exp is not a time");
    if (exp <= judge - LEEWAY_S) throw invalid("it has expired");
  }
  for (const [name, value] of [["iat", iat], ["nbf", nbf]] as const) {
    if (value === undefined) continue;
    if (!isTime(value)) throw invalid(`its ${name} is not a time`);
    if (value > judge + LEEWAY_S) throw invalid(`its ${name} is in the future`);
  }
  return isOff ? offset : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function decodePart(part: string): Uint8Array {
  const bytes = Buffer.from(part, "base64url");
  // The decoder forgives padding, foreign letters and loose bits: only what it would write itself is accepted.
  if (bytes.toString("base64url") !== part) throw invalid("a part of it is not base64url");
  return bytes;
}

function decodeObject(part: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(decodePart(part)), LIMITS);
  } catch (thrown) {
    if (thrown instanceof LoginError) throw thrown;
    throw invalid("a part of it is not JSON");
  }
  if (!isJsonObject(value)) throw invalid("a part of it is not an object");
  return value;
}

function invalid(reason: string): LoginError {
  return new LoginError("ID_TOKEN_INVALID", "The issuer's ID token is not usable", { reason });
}
