import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { refreshedDocument } from "../../src/credentials/auth_document.ts";
import { formatAuthFile, parseAuthFile } from "../../src/credentials/auth_file.ts";
import { isProfileName, parseProfileName } from "../../src/credentials/profile_name.ts";
import { withHomeEnvironment } from "../../src/home_environment.ts";
import { readTcpSockets } from "../../src/proc_net.ts";
import { parseRfc3339 } from "../../src/rfc3339.ts";
import { readOverrideSettings, readSettings } from "../../src/settings.ts";
import { readCertificates } from "../../src/trust.ts";
import { createWorld } from "../testing/world.ts";
import { signJwt } from "../testing/jwt.ts";
import { ADA, authClaim } from "../testing/users.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { hostileJson, hostileText } from "./hostile.ts";

const JWT = signJwt({ sub: ADA.sub, "https://api.openai.com/auth": authClaim(ADA) });
const AUTH = {
  auth_mode: "chatgpt",
  OPENAI_API_KEY: null,
  tokens: {
    ...{ id_token: JWT, access_token: `at-${MARK}`, refresh_token: `rt-${MARK}` },
    ...{
      account_id: "acct",
      oauth_provenance: { issuer: "https://issuer.test", client_id: "app" },
    },
    login_owner_id: "owner",
  },
  last_refresh: "2026-11-27T00:00:00.000000Z",
  mine: { kept: [1, 2.50, "x"] },
};
const TOML =
  'cli_auth_credentials_store = "file"\nforced_login_method = "chatgpt"\nlog_dir = "log"\n[a.b]\nc = [1, 2]\n';
const ENVIRONMENT =
  `# a comment\nexport HTTPS_PROXY="http://me:${MARK}@proxy.test:3128"\nNO_PROXY='a,b'\nOTHER=1\n`;
const PROC = "  sl  local_address rem_address   st\n" +
  "   0: 0100007F:05AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1\n";
const PEM = `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(20)}\n-----END CERTIFICATE-----\n`;

/** A folder for all runs; each writes its file anew. */
let folder: string | undefined;

/** @returns the folder. */
export async function fileWith(name: string, text: string): Promise<string> {
  folder ??= mkdtempSync(join(tmpdir(), "codex-login-fuzz-"));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
  return folder;
}

/** To be called when all is over. */
export async function removeFuzzFolder(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  folder = undefined;
}

export const STORED_FILES: readonly FuzzProperty[] = [
  fuzzProperty("auth.json", ["S38", "S50", "S55"], hostileJson(AUTH), async (text) => {
    const credentials = await parsed(() => parseAuthFile(text));
    if (!credentials) return;
    assert.match(text, /^\ufeff?\s*\{/);
    const written = formatAuthFile(credentials.document);
    assert.equal(formatAuthFile(parseAuthFile(written)?.document ?? {}), written);
    if (!credentials.tokens) return;
    // A renewal changes what it is for and nothing else.
    const renewed = parseAuthFile(
      formatAuthFile(refreshedDocument(credentials.document, { accessToken: "new" }, 0)),
    );
    assert.equal(renewed?.tokens?.access_token, "new");
    assert.equal(renewed?.tokens?.refresh_token, credentials.tokens.refresh_token);
    assert.deepEqual(
      Object.keys(renewed?.document ?? {}).sort(),
      [
        ...new Set([...Object.keys(credentials.document), "last_refresh"]),
      ].sort(),
    );
  }),
  fuzzProperty(
    "text in place of auth.json",
    ["S55"],
    hostileText(JSON.stringify(AUTH)),
    async (text) => {
      await parsed(() => parseAuthFile(text));
    },
  ),
  fuzzProperty("config.toml", ["S65"], hostileText(TOML), async (text) => {
    const home = await fileWith("config.toml", text);
    await parsed(() => readSettings(home, [], "/nowhere"));
  }),
  fuzzProperty(
    "an override by -c",
    ["S65"],
    hostileText(
      'cli_auth_credentials_store="file"',
      "__proto__=1",
      "constructor={}",
      "a.b.c=[1,2]",
      "log_dir=log",
      "=",
      "a",
    ),
    async (text) => {
      const settings = await parsed(() => readOverrideSettings([text]), { mayRepeat: true });
      if (settings) assert.deepEqual([...settings.keys()], [text.split("=")[0]?.trim()]);
    },
  ),
  fuzzProperty("the home's .env", ["S71"], hostileText(ENVIRONMENT), async (text) => {
    const home = await fileWith(".env", text);
    const world = await createWorld({ env: {} });
    const { env } = await withHomeEnvironment(world, home);
    for (const name of Object.keys(env)) {
      assert.match(
        name,
        /^((https?|all|no)_proxy|CODEX_CA_CERTIFICATE|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/i,
      );
    }
  }),
  fuzzProperty(
    "a profile's name",
    ["S49"],
    hostileText("work", "ada@example.com", "../x"),
    async (name) => {
      const taken = await parsed(() => parseProfileName(name), { mayRepeat: true });
      if (taken === undefined) return;
      assert.ok(isProfileName(taken));
      assert.match(taken, /^[\w@][\w.@-]{0,63}$/);
    },
  ),
  fuzzProperty("a file of certificates", ["S33"], hostileText(PEM, PEM + PEM), async (text) => {
    const path = join(await fileWith("ca.pem", text), "ca.pem");
    await parsed(() => readCertificates({ variable: "SSL_CERT_FILE", path }));
  }),
  fuzzProperty("/proc/net/tcp", ["S13"], hostileText(PROC), async (text) => {
    const sockets = await readTcpSockets(await fileWith("tcp", text));
    for (const { localPort } of sockets) assert.equal(typeof localPort, "number");
  }),
  fuzzProperty(
    "a time",
    ["S38"],
    fc.oneof(hostileText("2026-11-27T00:00:00.000000Z", "2026-02-30T25:00:00+99:99")),
    (text) => {
      const at = parseRfc3339(text);
      assert.ok(at === undefined || Number.isFinite(at));
    },
  ),
];
