import { join } from "node:path";
import fc from "fast-check";
import { parseAuthFile } from "../../src/credentials/auth_file.ts";
import { parseArguments } from "../../src/commands/arguments.ts";
import { parseDuration } from "../../src/duration.ts";
import { withHomeEnvironment } from "../../src/home_environment.ts";
import { createKeyDecoder } from "../../src/key_decoder.ts";
import { createLineSplitter } from "../../src/line_splitter.ts";
import { readErrorCode, readRefusal } from "../../src/oauth/error_response.ts";
import { decodeClaims } from "../../src/oauth/id_token.ts";
import { parseIssuer } from "../../src/oauth/issuer.ts";
import { readPastedResponse } from "../../src/oauth/pasted_response.ts";
import { readPollAnswer } from "../../src/oauth/poll_answer.ts";
import { printable } from "../../src/printable.ts";
import { chooseProxy } from "../../src/proxy.ts";
import { parseRfc3339 } from "../../src/rfc3339.ts";
import { readOverrideSettings, readSettings } from "../../src/settings.ts";
import { wrapWords } from "../../src/terminal.ts";
import { readCertificates } from "../../src/trust.ts";
import { createWorld } from "../testing/world.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { fileWith } from "./stored_files.ts";

const KEYS = new Set(["c", "q", "d"]);
const URL_OF_ISSUER = new URL("https://issuer.test");
const world = await createWorld({ env: {} });

/** A parser, the most characters that it is given, and what its rows are made of. */
interface Reader {
  readonly name: string;
  readonly limit: number;
  readonly pieces: readonly string[];
  read(text: string): unknown;
}

function refusal(text: string, asJson: boolean): Response {
  const body = asJson ? JSON.stringify({ error: text, error_description: text }) : text;
  return new Response(body, { status: 403, headers: { "content-type": "application/json" } });
}

async function decodeKeys(text: string): Promise<void> {
  const decoder = createKeyDecoder(KEYS);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 4_096) decoder.feed(bytes.subarray(at, at + 4_096));
  decoder.settle();
  await Promise.resolve();
}

const READERS: readonly Reader[] = [
  {
    name: ".env",
    limit: 1 << 16,
    pieces: [
      " ",
      "\t",
      "#",
      "=",
      '"',
      "'",
      "A",
      "\n",
      "export ",
      "ALL_PROXY=",
      "ALL_PROXY=x",
      "\u2028",
      " #",
    ],
    read: async (text) => await withHomeEnvironment(world, await fileWith(".env", text)),
  },
  {
    name: "certificates",
    limit: 1 << 20,
    pieces: ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "\n", "MIIB", "-----"],
    read: async (text) => {
      const path = join(await fileWith("rows.pem", text), "rows.pem");
      return await readCertificates({ variable: "SSL_CERT_FILE", path });
    },
  },
  {
    name: "config.toml",
    limit: 1 << 20,
    pieces: ["[", "]", "{", "a.", "a = ", '"', "'''", '"""', "\n", "#", " ", "\\", "1_", ",", "a"],
    read: async (text) => await readSettings(await fileWith("config.toml", text), [], "/nowhere"),
  },
  {
    name: "-c",
    limit: 1 << 17,
    pieces: ["=", '"', "'", "[", "\\", " ", "a", "{", "\n", "#", "a = "],
    read: (text) => readOverrideSettings([`a=${text}`]),
  },
  {
    name: "arguments",
    // The platform's own parser of arguments takes the square of a row of single letters.
    limit: 1 << 14,
    pieces: ["-", "--", "=", "c", " ", "--port", ". "],
    read: (text) => parseArguments([text]),
  },
  {
    name: "auth.json",
    limit: 1 << 20,
    pieces: ['{"a":', "[", "]", '"', "\\", "1", ",", " ", "\ufeff", '{"a":1,', "0."],
    read: parseAuthFile,
  },
  {
    name: "a paste",
    limit: 1 << 14,
    pieces: [")", "(", "&", "?", "&amp;", "%41", "curl ", "=", "#", '"', "\u200b", "code=", "a"],
    read: readPastedResponse,
  },
  {
    name: "keys",
    limit: 1 << 20,
    pieces: ["\x1b[", "0", "\x1b[200~", "\x1b[201~", "\x7f", "a", "\x1b", "\r", "\x1b[20", "é"],
    read: decodeKeys,
  },
  {
    name: "NO_PROXY",
    limit: 1 << 17,
    pieces: [":1", "10.0.0.0/8,", "*.", ",", "[", "a", " ", "::1,", ".", "%"],
    read: (no_proxy) => chooseProxy({ https_proxy: "http://h:1", no_proxy }, URL_OF_ISSUER),
  },
  {
    name: "a proxy",
    limit: 1 << 17,
    pieces: ["@", ":", "%41", "//", "http://", "a", "[", ".", "+"],
    read: (https_proxy) => chooseProxy({ https_proxy }, URL_OF_ISSUER),
  },
  {
    name: "an issuer",
    limit: 1 << 17,
    pieces: ["@", ":", "//", "https://", "a", "?", "#", "/", "\\", "."],
    read: parseIssuer,
  },
  {
    name: "a duration",
    limit: 1 << 17,
    pieces: ["1s", "9", "ms", "m", " "],
    read: (text) => parseDuration(text, "--timeout"),
  },
  {
    name: "a time",
    limit: 1 << 20,
    pieces: ["2026-11-27T00:00:00.", "1", "Z", "-", ":"],
    read: parseRfc3339,
  },
  {
    name: "a refusal",
    limit: 1 << 20,
    pieces: [
      "%25",
      "%",
      "\\u0041",
      "\\",
      "&amp;",
      "&#x41;",
      "a_",
      "<",
      MARK,
      MARK.slice(0, 17),
      " ",
    ],
    read: async (text) => {
      for (const asJson of [true, false]) {
        await readRefusal(refusal(text, asJson), [MARK, `${MARK}-${MARK}`, "ab".repeat(4_096)]);
        await readErrorCode(refusal(text, asJson));
      }
    },
  },
  {
    name: "an answer to a poll",
    limit: 1 << 20,
    pieces: ["a_", "_", "access_", "denied", "pending", "expired", "a", "token_"],
    read: (text) =>
      readPollAnswer(refusal(text, true), {
        secrets: [MARK],
        pendingStatuses: [403],
        now: 0,
        readGrant: (granted) => granted.text(),
      }),
  },
  {
    name: "a JWT",
    limit: 1 << 16,
    pieces: [".", "A", "=", "e30", "-", "W10"],
    read: decodeClaims,
  },
  {
    name: "words",
    limit: 1 << 20,
    pieces: [" ", "\0", "\u202e", "a", "\n", "\u{1f511}", "\ud800", "\u200b "],
    read: (text) => [printable(text), wrapWords(text, 80)],
  },
  {
    name: "lines",
    limit: 1 << 18,
    pieces: ["\n", "\r", "a", "é", "\r\n", "{"],
    read: (text) => {
      const split = createLineSplitter(1 << 16, () => {});
      split(Buffer.from(text));
      split();
    },
  },
];

/** What takes the square of its length stands still at the limits; the tests of single parsers never came near them. */
export const LONG_ROWS: readonly FuzzProperty[] = READERS.map(({ name, limit, pieces, read }) => {
  const piece = fc.constantFrom(...pieces);
  return fuzzProperty(
    `a long row in ${name}`,
    ["S30", "S38", "S55"],
    fc.record({ before: piece, row: piece, more: fc.oneof(piece, fc.constant("")), last: piece }),
    async ({ before, row, more, last }) => {
      const part = row + more;
      const count = Math.floor((limit - before.length - last.length) / Buffer.byteLength(part));
      const text = before + part.repeat(Math.max(1, count)) + last;
      await parsed(async () => void await read(text), { mayRepeat: true });
    },
    { share: limit > 1 << 17 ? 0.03 : 0.2 },
  );
});
