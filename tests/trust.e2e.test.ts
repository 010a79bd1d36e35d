import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createHome } from "./testing/home.ts";
import { assertUntouched, EARLIER } from "./testing/hostile_login.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { startLogin, SUBJECT } from "./testing/program.ts";
import { CA_PATH, obtainCallbackByTls, TLS } from "./testing/tls.ts";
import { together } from "./testing/together.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };

/** Variables by which other programs, and the runtimes themselves, are told whom to trust. */
const FOREIGN: Record<string, string> = {
  DENO_CERT: CA_PATH,
  DENO_TLS_CA_STORE: "system,mozilla",
  CURL_CA_BUNDLE: CA_PATH,
  REQUESTS_CA_BUNDLE: CA_PATH,
  NIX_SSL_CERT_FILE: CA_PATH,
  GIT_SSL_CAINFO: CA_PATH,
  NODE_USE_SYSTEM_CA: "1",
  NODE_TLS_REJECT_UNAUTHORIZED: "0",
  BUN_CONFIG_CA: CA_PATH,
  npm_config_cafile: CA_PATH,
  DENO_UNSAFELY_IGNORE_CERTIFICATE_ERRORS: "localhost",
};

verifies(
  "S33",
  `${SUBJECT}: only the three variables that are documented add to those who are trusted`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({ tls: TLS });
    const rows = ["none", "CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
      .map((name) => ({ name }));
    await together(rows, async ({ name }) => {
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      const folder = join(home.path, "certificates");
      await mkdir(folder);
      await copyFile(CA_PATH, join(folder, "ca.pem"));
      const own: Record<string, string> = name === "none" ? {} : { [name]: CA_PATH };
      const env = { ...FOREIGN, SSL_CERT_DIR: folder, ...own };
      await using program = startLogin(home, issuer, [], { env });
      const { status } = await get(await obtainCallbackByTls(await program.authUrl()));
      const ended = await program.ended;
      assert.deepEqual(
        [status, ended.exitCode],
        name === "none" ? [502, 5] : [303, 0],
        ended.stderr,
      );
      if (name !== "none") return;
      assert.match(ended.stderr, /error\[TLS_UNTRUSTED\]/);
      await assertUntouched(home);
    });
    assert.equal(issuer.asked("token").length, 3);
  },
);
