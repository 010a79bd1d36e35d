import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatAuthFile } from "../src/credentials/auth_file.ts";
import { apiKeyDocument } from "../src/credentials/auth_document.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { holdLock } from "./testing/lock_holder.ts";
import { runProgram, startProgram, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { onlyThorough, times } from "./testing/thorough.ts";
import { missingTool } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const OLD = formatAuthFile(apiKeyDocument("sk-old-0123456789abcdef", undefined));
const KEY = "sk-new-0123456789abcdef";
const SLOW = { timeout: 120_000 };
const WITH_FLOCK = { ...SLOW, skip: missingTool("flock", "--version") };

/** What is beside the login: no copy of it, whole or half. */
async function leftovers(home: TestHome): Promise<string[]> {
  return (await home.list()).filter((name) => /tmp$|pending$|corrupt/.test(name));
}

verifies(
  "S52",
  `${SUBJECT}: a save waits for whoever has flocked one of the two files, says so, and goes on when he dies`,
  WITH_FLOCK,
  async () => {
    for (const name of ["auth.lock", "auth.json.lock"]) {
      await using home = await createHome();
      await home.writeAuth(OLD);
      const held = await holdLock(join(home.path, name));
      await using program = startProgram(home, ["login", "--with-api-key"], { input: KEY });
      const [told] = await program.shows(/^Waiting for .+$/m);
      assert.match(
        told,
        new RegExp(`for (sleep|sh|flock) \\(process \\d+\\), which holds ${name}\\.$`),
      );
      assert.equal(await home.readAuth(), OLD);
      assert.deepEqual(await leftovers(home), []);
      // By SIGKILL: it is the kernel that lets go.
      await held[Symbol.asyncDispose]();
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 0, stderr);
      assert.equal((await home.authJson())["OPENAI_API_KEY"], KEY);
    }
  },
);

verifies(
  ["S52", "S61"],
  `${SUBJECT}: a logout that waits for the lock has not asked the issuer yet`,
  WITH_FLOCK,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, 3_600);
    const before = await home.readAuth();
    const held = await holdLock(join(home.path, "auth.lock"));
    await using program = startProgram(home, ["logout"]);
    await program.shows(/^Waiting for .+, which holds auth\.lock\.$/m);
    program.kill("SIGINT");
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 130, stderr);
    assert.equal(await home.readAuth(), before);
    assert.equal(issuer.requests.length, 0);
    assert.equal(issuer.liveRefreshTokens.size, 1);
    await held[Symbol.asyncDispose]();
    assert.equal((await runProgram(home, ["logout"])).exitCode, 0);
    assert.equal(issuer.liveRefreshTokens.size, 0);
    assert.ok(!(await home.list()).includes("auth.json"));
  },
);

verifies(
  ["S52", "S61"],
  `${SUBJECT}: who does not get the lock in ten seconds ends with 3, before anybody is asked for anything`,
  { ...WITH_FLOCK, skip: WITH_FLOCK.skip || onlyThorough() },
  async () => {
    await using issuer = await startIssuer();
    const commands = [
      ["login", "--with-api-key"],
      ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"],
      ["logout"],
      ["refresh"],
    ];
    await Promise.all(commands.map(async (command) => {
      await using home = await createHome();
      await storeLogin(home, issuer, 3_600);
      const before = await home.readAuth();
      await using _held = await holdLock(join(home.path, "auth.lock"));
      const { exitCode, stdout, stderr } = await runProgram(home, command, { input: KEY });
      assert.equal(exitCode, 3, `${command}: ${stderr}`);
      assert.match(
        stderr,
        /^error\[LOCK_BUSY\]: auth\.lock is locked[^]*\(process \d+\) holds it for more than 10 s/m,
      );
      assert.ok(!`${stdout}${stderr}`.includes("/oauth/authorize"));
      assertNoSecrets(stdout + stderr + await home.textOutsideAuth(), issuer);
      assert.equal(await home.readAuth(), before);
      assert.deepEqual(await leftovers(home), []);
    }));
    assert.equal(issuer.requests.length, 0);
    assert.equal(issuer.liveRefreshTokens.size, commands.length);
  },
);

verifies(
  "S53",
  `${SUBJECT}: whoever reads auth.json while many write it, always reads a whole login`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { tokens } = await storeLogin(home, issuer, -10);
    const kinds = [["token"], ["login", "--with-api-key"], ["status", "--json"]] as const;
    let left = times(12, 50);
    const started = Array.from({ length: left }, async (_, i) => {
      const command = kinds[i % kinds.length] ?? kinds[0];
      const input = `sk-proj-${String(i).padStart(40, "0")}`;
      const ended = await runProgram(home, command, { input }).finally(() => left--);
      return { command, input, ended };
    });
    const seen = new Set<string>();
    while (left > 0) seen.add(await home.readAuth());
    const all = await Promise.all(started);
    for (const { command, ended: { exitCode, stderr } } of all) {
      assert.equal(exitCode, 0, `${command}: ${stderr}`);
    }
    seen.add(await home.readAuth());
    const written = new Set(all.map(({ input }) => input));
    for (const text of seen) {
      const file = assertReferenceReads(text);
      assert.deepEqual(file["mine"], { also: "kept" });
      if (file["auth_mode"] === "apikey") assert.ok(written.has(String(file["OPENAI_API_KEY"])));
      else {
        const { refresh_token } = file["tokens"] as Record<string, string>;
        assert.ok([tokens["refresh_token"], ...issuer.secrets].includes(refresh_token));
      }
    }
    assert.ok(issuer.asked("refresh").length <= 1);
    const last = JSON.parse(await readFile(home.authPath, "utf8"));
    assert.ok(written.has(last.OPENAI_API_KEY), "a key is never replaced by a renewal");
    assert.deepEqual(await leftovers(home), []);
    assert.equal(await home.mode("auth.json"), "600");
  },
);
