import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { resolveConfig } from "../../src/config.ts";
import { createKeyring } from "../../src/credentials/keyring.ts";
import { readActiveName } from "../../src/credentials/active_profile.ts";
import { parseAuthFile } from "../../src/credentials/auth_file.ts";
import { inspectExchange, recoverExchange } from "../../src/credentials/profile_exchange.ts";
import { createKeyringAccess } from "../../src/keyring_access.ts";
import { formatJson } from "../../src/json.ts";
import { writeLoginRecord } from "../../src/login_record.ts";
import { findPortHolder } from "../../src/port_holder.ts";
import { readStatus } from "../../src/status.ts";
import { describeStatus, statusJson } from "../../src/status_words.ts";
import type { KeyringAnswer } from "../../src/world.ts";
import { signJwt } from "../testing/jwt.ts";
import { ADA, authClaim } from "../testing/users.ts";
import { createWorld } from "../testing/world.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { hostileJson, hostileText } from "./hostile.ts";

const CLAIMS = { sub: ADA.sub, email: ADA.email, "https://api.openai.com/auth": authClaim(ADA) };
const JWT = signJwt({ ...CLAIMS, exp: 1_800_000_000 });
const AUTH = {
  auth_mode: "chatgpt",
  OPENAI_API_KEY: null,
  tokens: { id_token: JWT, access_token: JWT, refresh_token: `rt-${MARK}`, account_id: "acct" },
  last_refresh: "2026-11-27T00:00:00Z",
};
const KEY = { auth_mode: "apikey", OPENAI_API_KEY: `sk-proj-${MARK}` };
const MARKER = { name: "work", accountId: "acct", userId: "user" };
const UNCLEAN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const PORT = 15_561;

/** A folder of its own for each run, since what is found there decides what is moved. */
async function withFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), "codex-login-fuzz-"));
  try {
    return await use(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function loginsIn(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) =>
      readFile(join(entry.parentPath, entry.name), "utf8")
    ),
  );
  return texts.filter((text) => text.startsWith("login ")).sort();
}

const aRecord = hostileJson({ from: MARKER, to: { ...MARKER, name: "home" } });

export const LOCAL_WORDS: readonly FuzzProperty[] = [
  fuzzProperty(
    "what a killed exchange of profiles left",
    ["S38", "S48", "S55"],
    fc.record({
      intent: fc.oneof(
        { weight: 3, arbitrary: aRecord },
        { weight: 1, arbitrary: hostileText(JSON.stringify({ from: MARKER, to: null })) },
      ),
      marker: fc.oneof(hostileJson(MARKER), hostileText(JSON.stringify(MARKER))),
      present: fc.subarray(["auth.json", "profiles/work.json", "profiles/home.json"]),
    }),
    async ({ intent, marker, present }) => {
      await withFolder(async (home) => {
        await mkdir(join(home, "profiles"), { mode: 0o700 });
        for (const name of present) {
          await writeFile(join(home, name), `login ${name}`, { mode: 0o600 });
        }
        await writeFile(join(home, "profiles/.exchange.json"), intent, { mode: 0o600 });
        await writeFile(join(home, "profiles/active.json"), marker, { mode: 0o600 });
        const before = await loginsIn(home);
        const credentials = parseAuthFile(JSON.stringify(KEY));
        if (credentials) await parsed(() => readActiveName(home, credentials), { mayRepeat: true });
        const seen = await parsed(() => inspectExchange(home), { mayRepeat: true });
        const random = (length: number): Uint8Array =>
          crypto.getRandomValues(new Uint8Array(length));
        const isMended = await parsed(() => recoverExchange(random, home), { mayRepeat: true });
        // Whatever the record says, no login is lost, and nothing leaves the home.
        assert.deepEqual(await loginsIn(home), before);
        if (seen && isMended) {
          assert.equal(await parsed(() => recoverExchange(random, home)), false);
        }
      });
    },
    { share: 0.5 },
  ),
  fuzzProperty(
    "what status says of auth.json",
    ["S38", "S64", "S65"],
    fc.oneof(hostileJson(AUTH), hostileJson(KEY)),
    async (text) => {
      await withFolder(async (home) => {
        await writeFile(join(home, "auth.json"), text, { mode: 0o600 });
        const world = await createWorld({ env: { CODEX_HOME: home } });
        const status = await parsed(async () => readStatus(world, await resolveConfig(world, {})));
        if (!status) return;
        for (const line of [...describeStatus(status), formatJson(statusJson(status))]) {
          assert.doesNotMatch(line, UNCLEAN);
          assert.ok(!line.includes(`rt-${MARK}`) && !line.includes(`sk-proj-${MARK}`), line);
        }
      });
    },
    { share: 0.5 },
  ),
  fuzzProperty(
    "what the keyring says",
    ["S38", "S56", "S65"],
    fc.record({
      texts: fc.array(fc.oneof(hostileJson(AUTH), fc.constant(null)), { maxLength: 3 }),
      failure: fc.option(hostileText("Cannot autolaunch D-Bus", `locked: ${MARK}`)),
      isAbsent: fc.boolean(),
    }),
    async ({ texts, failure, isAbsent }) => {
      const answer: KeyringAnswer = failure === null ? { texts } : { failure, isAbsent };
      const keyring = createKeyring({
        keyring: () => Promise.resolve(answer),
        env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/x" },
        platform: "linux",
      }, "/nowhere");
      const told = { mayRepeat: true };
      const text = await parsed(() => keyring.read(), told);
      if (text !== undefined) await parsed(() => parseAuthFile(text));
      await parsed(() => keyring.write(JSON.stringify(AUTH)), told);
      await parsed(() => keyring.prove(), told);
      await parsed(() => keyring.remove(), told);
      await parsed(() => keyring.look((error) => Promise.reject(error)), told);
    },
  ),
  fuzzProperty(
    "what the keyring's helper says",
    ["S56"],
    fc.oneof(
      hostileJson({ texts: [MARK, null] }),
      hostileJson({ failure: "locked", isAbsent: false }),
      hostileText('{"texts":[]}'),
    ),
    async (said) => {
      // Without a shell's help: what it gets on stdin is what it says.
      const access = createKeyringAccess(["cat"], process.env, 20_000);
      const answer = await access([{ op: "write", user: "u", text: said }]);
      assert.ok("failure" in answer && !answer.failure.includes(MARK), JSON.stringify(answer));
      await withFolder(async (folder) => {
        await writeFile(join(folder, "said"), said);
        const told = await createKeyringAccess(["cat", join(folder, "said")], process.env, 20_000)(
          [],
        );
        if ("texts" in told) {
          assert.ok(told.texts.every((one) => one === null || typeof one === "string"));
        } else assert.equal(typeof told.failure, "string");
      });
    },
    { share: 0.1 },
  ),
  fuzzProperty(
    "the record of a running login",
    ["S28", "S65"],
    hostileText(`${process.pid}\n%NETWORK%\n`, "4711\n%NETWORK%"),
    async (text) => {
      await withFolder(async (folder) => {
        const world = await createWorld({ env: { XDG_RUNTIME_DIR: folder } });
        const record = await writeLoginRecord(world, PORT);
        const path = join(folder, "codex-login", String(PORT));
        const [, network = ""] = (await readFile(path, "utf8")).split("\n");
        await writeFile(path, text.replace("%NETWORK%", network));
        const { name } = await findPortHolder(world, PORT);
        await record?.remove();
        assert.doesNotMatch(name, UNCLEAN);
        assert.ok(name.length < 100, name);
      });
    },
    { share: 0.1 },
  ),
];
