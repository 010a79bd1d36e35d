import assert from "node:assert/strict";
import { createHome } from "./testing/home.ts";
import { assertFailedWhole, rowsFor, signIn } from "./testing/hostile_login.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { encode, signJwt } from "./testing/jwt.ts";
import { SUBJECT } from "./testing/program.ts";
import { TLS } from "./testing/tls.ts";
import { together } from "./testing/together.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };
const CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann";
const HEADER = { alg: "ES256", typ: "JWT" };

type Claims = Record<string, unknown>;

/** An ID token made of the good one's claims, at this time in seconds. */
interface Forgery {
  readonly name: string;
  readonly forge: (claims: Claims, now: number, issuer: string) => string;
  /** Where it is not the ID token that is refused, but the answer. */
  readonly code?: string;
}

function claims(name: string, changes: (now: number, issuer: string) => Claims): Forgery {
  return {
    name,
    // What is undefined is left out.
    forge: (good, now, issuer) => signJwt({ ...good, ...changes(now, issuer) }),
  };
}

function header(name: string, changes: Claims): Forgery {
  return { name, forge: (good) => signJwt(good, { ...HEADER, ...changes }) };
}

/** By its three parts; a signature that nobody looks at. */
function parts(name: string, write: (claims: Claims) => string, code?: string): Forgery {
  return { name, forge: write, ...(code === undefined ? {} : { code }) };
}

const bytes = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");
const payload = (text: string | Uint8Array): string => `${encode(HEADER)}.${bytes(text)}.c2ln`;
const nested = (depth: number): string => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;

const FORGERIES: readonly Forgery[] = [
  claims("iss of another", () => ({ iss: "https://evil.test" })),
  claims("no iss", () => ({ iss: undefined })),
  claims("iss in a list", (_, issuer) => ({ iss: [issuer] })),
  claims("iss with more behind", (_, issuer) => ({ iss: `${issuer}/tenant` })),
  claims("iss with two slashes", (_, issuer) => ({ iss: `${issuer}//` })),
  claims("iss in capitals", (_, issuer) => ({ iss: issuer.toUpperCase() })),
  claims("iss over http", (_, issuer) => ({ iss: issuer.replace("https", "http") })),
  claims("aud of another", () => ({ aud: "another" })),
  claims("no aud", () => ({ aud: undefined })),
  claims("aud of nobody", () => ({ aud: [] })),
  claims("aud with more behind", () => ({ aud: `${CLIENT} other` })),
  claims("aud in a list in a list", () => ({ aud: [[CLIENT]] })),
  claims("aud as a name", () => ({ aud: { [CLIENT]: true } })),
  claims("aud of others too, without azp", () => ({ aud: [CLIENT, "other"] })),
  claims("aud of others too, azp of them", () => ({ aud: [CLIENT, "other"], azp: "other" })),
  claims("azp of another", () => ({ azp: "another" })),
  claims("azp in a list", () => ({ azp: [CLIENT] })),
  claims("exp ten minutes ago", (now) => ({ exp: now - 600 })),
  claims("no exp", () => ({ exp: undefined })),
  claims("exp as text", (now) => ({ exp: String(now + 600) })),
  claims("exp of nothing", () => ({ exp: null })),
  claims("iat in ten minutes", (now) => ({ iat: now + 600 })),
  claims("iat as text", () => ({ iat: "now" })),
  claims("nbf in ten minutes", (now) => ({ nbf: now + 600 })),
  claims("nbf as text", () => ({ nbf: "0" })),
  header("alg none", { alg: "none" }),
  header("alg nOnE", { alg: "nOnE" }),
  header("alg none and a blank", { alg: "none " }),
  header("alg HS256", { alg: "HS256" }),
  header("alg hs512", { alg: "hs512" }),
  header("an empty alg", { alg: "" }),
  header("alg in a list", { alg: ["ES256"] }),
  header("no alg", { alg: undefined }),
  header("crit", { crit: ["exp"], exp: 1 }),
  header("crit that lists an extension of RFC 7797", { crit: ["b64"], b64: true }),
  header("crit that lists nothing", { crit: [] }),
  header("crit of nothing", { crit: null }),
  parts("a payload that is a list", (good) => payload(JSON.stringify([good]))),
  parts("a payload that is text", () => payload('"iss"')),
  parts("a payload that is nothing", () => payload("null")),
  parts("no payload", () => `${encode(HEADER)}..c2ln`),
  parts("a payload that is no JSON", () => payload("{")),
  parts("a payload 20,000 deep", () => payload(nested(20_000))),
  parts(
    "a payload 33 deep beside good claims",
    (good) => payload(JSON.stringify({ ...good, deep: JSON.parse(nested(33)) })),
  ),
  parts("a header 20,000 deep", (good) => `${bytes(nested(20_000))}.${encode(good)}.c2ln`),
  parts("a header that is a list", (good) => `${encode([HEADER])}.${encode(good)}.c2ln`),
  parts("bad UTF-8", (good) =>
    payload(Buffer.concat([
      Buffer.from(JSON.stringify(good).slice(0, -1)),
      Buffer.from([0x2c, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
    ]))),
  parts("UTF-16", (good) => payload(Buffer.from(JSON.stringify(good), "utf16le"))),
  parts(
    "claims twice, the last one wrong",
    (good) => payload(`${JSON.stringify(good).slice(0, -1)},"iss":"https://evil.test"}`),
  ),
  parts("claims of the prototype", (good) => payload(`{"__proto__":${JSON.stringify(good)}}`)),
  parts("padding", (good) => signJwt(good).replace(/\./, "==.")),
  parts(
    "the other alphabet",
    (good) =>
      `${encode(HEADER)}.${
        Buffer.from(JSON.stringify({ ...good, x: "\u00ff\u00fe>>>???~~~" })).toString("base64")
          .replaceAll("=", "")
      }.c2ln`,
  ),
  parts("a blank within", (good) => signJwt(good).replace(/\./, " .")),
  parts("loose bits", (good) => `${encode(HEADER)}.${encode(good)}.c2ln`.replace(/c2ln$/, "c2lnZ")),
  parts("two parts", (good) => signJwt(good).replace(/\.[^.]*$/, "")),
  parts("four parts", (good) => `${signJwt(good)}.c2ln`),
  parts("five parts", (good) => `${signJwt(good)}.c2ln.c2ln`),
  parts("an empty signature", (good) => signJwt(good).replace(/[^.]*$/, "")),
  parts("an empty header", (good) => signJwt(good).replace(/^[^.]*/, "")),
  parts(
    "100 kB",
    (good) => signJwt({ ...good, x: "x".repeat(75_000) }),
    "TOKEN_RESPONSE_INVALID",
  ),
  parts("5 MB", (good) => signJwt({ ...good, x: "x".repeat(5 << 20) }), "RESPONSE_TOO_LARGE"),
];

function claimsOf(token: unknown): Claims {
  return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString());
}

function forgeAt(issuer: TestIssuer, forge: Forgery["forge"]): void {
  issuer.misbehave.token = {
    change: ({ id_token, ...rest }) => {
      const forged = forge(claimsOf(id_token), Math.floor(Date.now() / 1_000), issuer.url);
      if (forged.length > 40 && forged.length < 10_000) issuer.secrets.push(forged);
      return { ...rest, id_token: forged };
    },
  };
}

verifies(
  ["S37", "S38"],
  `${SUBJECT}: no ID token of a wrong form, issuer, audience, party, time or algorithm signs in`,
  SLOW,
  async () => {
    await together(rowsFor(FORGERIES, 6), async ({ forge, code = "ID_TOKEN_INVALID" }) => {
      await using issuer = await startIssuer({ tls: TLS });
      await using home = await createHome();
      forgeAt(issuer, forge);
      const ended = await signIn(home, issuer);
      await assertFailedWhole(home, issuer, ended, code);
      assert.equal(issuer.asked("token").length, 1);
      assert.equal(issuer.asked("apiKey").length, 0);
    });
  },
);

const GOOD: readonly Forgery[] = [
  claims("as it is", () => ({})),
  claims("a slash behind iss", (_, issuer) => ({ iss: `${issuer}/` })),
  claims("aud as text, azp ours", () => ({ aud: CLIENT, azp: CLIENT })),
  claims("aud of others too, azp ours", () => ({ aud: ["other", CLIENT], azp: CLIENT })),
  claims("four minutes off", (now) => ({ exp: now - 240, iat: now + 240, nbf: now + 240 })),
  claims(
    "names of the prototype, as data",
    () =>
      JSON.parse('{"__proto__":{"iss":"https://evil.test"},"constructor":{"prototype":{"aud":1}}}'),
  ),
];

verifies(
  ["S37", "S38"],
  `${SUBJECT}: ID tokens that are right sign in, and hostile names in them stay data`,
  SLOW,
  async () => {
    await together(rowsFor(GOOD, 5), async ({ forge }) => {
      await using issuer = await startIssuer({ tls: TLS });
      await using home = await createHome();
      forgeAt(issuer, forge);
      const ended = await signIn(home, issuer);
      assert.equal(ended.exitCode, 0, ended.stderr);
      const tokens = (await home.authJson())["tokens"] as Record<string, unknown>;
      assert.match(String(tokens["id_token"]), /^[\w-]+\.[\w-]+\.[\w-]+$/);
      assert.match(ended.stderr, /Signed in as ada@example\.com/);
    });
  },
);
