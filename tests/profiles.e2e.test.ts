import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sleep } from "../src/system_world.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { loginOf, loginsIn, secretOf } from "./testing/logins.ts";
import { type Program, runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { missingNamespaces } from "./testing/tools.ts";
import { ADA, BOB } from "./testing/users.ts";

/** The executable is also killed at each of its system calls, in faults.e2e.test.ts. */
const KILLS = 10;
const SLOW = { timeout: 300_000 };

async function run(home: TestHome, args: string[], exitCode = 0): Promise<string> {
  const ended = await runProgram(home, args);
  assert.equal(ended.exitCode, exitCode, `${args.join(" ")}\n${ended.stderr}`);
  return args.includes("--json") ? ended.stdout : ended.stderr;
}

/** Names, the one in use with a star. */
async function list(home: TestHome): Promise<string> {
  const { profiles } = JSON.parse(await run(home, ["profile", "list", "--json"]));
  return profiles.map(({ name, active, error }: Record<string, unknown>) => {
    assert.equal(error, null);
    return `${active ? "*" : ""}${name ?? "-"}`;
  }).join(" ");
}

async function emailInUse(home: TestHome): Promise<string> {
  return JSON.parse(await run(home, ["status", "--json"])).account.email;
}

async function signIn(home: TestHome, issuer: TestIssuer): Promise<string> {
  await using program = startLogin(home, issuer);
  await visit(await program.authUrl());
  const { exitCode, stderr } = await program.ended;
  assert.equal(exitCode, 0, stderr);
  return stderr;
}

test(`${SUBJECT}: two accounts, back and forth, and nobody's login ends`, SLOW, async () => {
  await using ada = await startIssuer({ users: [ADA] });
  await using bob = await startIssuer({ users: [BOB] });
  await using home = await createHome();
  let said = await signIn(home, ada);
  await run(home, ["profile", "save", "work"]);
  const second = await signIn(home, bob);
  assert.match(second, /The login "work" is kept: codex-login profile use work/);
  assert.equal(await list(home), "*- work");
  said += await run(home, ["profile", "use", "work"], 2);
  await run(home, ["profile", "save", "home"]);
  for (const [name, email] of [["work", ADA.email], ["home", BOB.email], ["work", ADA.email]]) {
    said += await run(home, ["profile", "use", name ?? ""]);
    assert.equal(await emailInUse(home), email);
    assertReferenceReads(await home.readAuth());
  }
  assert.equal(await list(home), "*work home");
  assert.deepEqual([ada.liveRefreshTokens.size, bob.liveRefreshTokens.size], [1, 1]);
  assert.deepEqual(ada.asked("revoke").length + bob.asked("revoke").length, 0);

  said += await run(home, ["profile", "remove", "work"], 2);
  said += await run(home, ["profile", "remove", "home"]);
  assert.deepEqual([ada.liveRefreshTokens.size, bob.liveRefreshTokens.size], [1, 0]);
  said += await run(home, ["profile", "use", "home"], 2);
  said += await run(home, ["logout"]);
  assert.equal(await list(home), "");
  assert.equal(ada.liveRefreshTokens.size, 0);
  for (const issuer of [ada, bob]) {
    assertNoSecrets(said.replace(/^http\S+$/gm, "") + await home.textOutsideAuth(), issuer);
  }
});

/** Ends the program in the middle: at a random moment, or as soon as it has begun to move logins. */
async function killInTheMiddle(home: TestHome, program: Program, i: number): Promise<void> {
  let isOver = false;
  program.ended.then(() => isOver = true);
  if (i % 2 === 0) await sleep(Math.random() * 200);
  else {
    const intent = join(home.path, "profiles/.exchange.json");
    while (!isOver && !existsSync(intent)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sleep(Math.random() * 2);
  }
  if (!isOver) program.kill("SIGKILL");
  await program.ended;
}

test(
  `${SUBJECT}: kill -9 in the middle of "use" loses no login and doubles none`,
  SLOW,
  async (t) => {
    await using home = await createHome();
    const logins = [loginOf(ADA), loginOf(BOB)].map((one) => JSON.stringify(one, null, 2));
    await home.writeAuth(logins[0]);
    await run(home, ["profile", "save", "ada"]);
    await writeFile(join(home.path, "profiles/bob.json"), logins[1] ?? "", { mode: 0o600 });
    let unfinished = 0;
    for (let i = 0; i < KILLS; i++) {
      const other = await emailInUse(home) === ADA.email ? "bob" : "ada";
      await using program = startProgram(home, ["profile", "use", other]);
      await killInTheMiddle(home, program, i);
      if (existsSync(join(home.path, "profiles/.exchange.json"))) unfinished++;
      assert.deepEqual(Object.values(await loginsIn(home)).sort(), logins.map(secretOf).sort());
      // Neither of these writes, and both see a login in use under its name.
      assert.match(await list(home), /^(\*ada bob|\*bob ada)$/);
      await emailInUse(home);
    }
    t.diagnostic(`${unfinished} of ${KILLS} were left unfinished`);
    await run(home, ["profile", "use", "bob"]);
    await run(home, ["profile", "use", "ada"]);
    assert.equal(await home.readAuth(), logins[0]);
    assert.deepEqual((await readdir(join(home.path, "profiles"))).sort(), [
      "active.json",
      "bob.json",
    ]);
    assert.ok(!(await home.list()).some((name) => name.endsWith(".tmp")));
  },
);

test(
  `${SUBJECT}: kill -9 in the middle of a login never loses the one that has a name`,
  SLOW,
  async () => {
    const old = JSON.stringify(loginOf(ADA), null, 2);
    for (let i = 0; i < KILLS / 2; i++) {
      await using home = await createHome();
      await home.writeAuth(old);
      await run(home, ["profile", "save", "ada"]);
      await using program = startProgram(home, ["login", "--with-api-key"], {
        input: "sk-new-0123456789abcdef",
      });
      await killInTheMiddle(home, program, i);
      const secrets = Object.values(await loginsIn(home));
      assert.equal(secrets.filter((one) => one === secretOf(old)).length, 1);
      assert.match(await list(home), /^(\*ada|\*- ada)$/);
      await runProgram(home, ["profile", "save", "new"]);
      assert.match(await list(home), /^(\*new|\*new ada)$/);
    }
  },
);

test(
  `${SUBJECT}: two processes that change profiles at once wait for each other`,
  SLOW,
  async () => {
    await using home = await createHome();
    const logins = [loginOf(ADA), loginOf(BOB)].map((one) => JSON.stringify(one, null, 2));
    await home.writeAuth(logins[0]);
    await run(home, ["profile", "save", "ada"]);
    await writeFile(join(home.path, "profiles/bob.json"), logins[1] ?? "", { mode: 0o600 });
    const names = ["bob", "ada", "bob", "ada", "bob", "ada"];
    const ended = await Promise.all([
      ...names.map((name) => runProgram(home, ["profile", "use", name])),
      ...names.map(() => runProgram(home, ["status", "--json"])),
    ]);
    for (const { exitCode, stderr } of ended) assert.equal(exitCode, 0, stderr);
    assert.deepEqual(Object.values(await loginsIn(home)).sort(), logins.map(secretOf).sort());
  },
);

test(
  `${SUBJECT}: an auth.json or a folder of profiles that is mounted is refused, and nothing is changed`,
  { timeout: 60_000, skip: missingNamespaces("-m") },
  async () => {
    await using home = await createHome();
    const logins = [loginOf(ADA), loginOf(BOB)].map((one) => JSON.stringify(one, null, 2));
    await home.writeAuth(logins[0]);
    await run(home, ["profile", "save", "ada"]);
    await writeFile(join(home.path, "profiles/bob.json"), logins[1] ?? "", { mode: 0o600 });
    const before = await loginsIn(home);
    for (const name of ["auth.json", "profiles"]) {
      const path = join(home.path, name);
      const { exitCode, stderr } = await runProgram(home, ["profile", "use", "bob"], {
        wrapper: ["unshare", "-m", "sh", "-ec", 'mount --bind "$0" "$0"; "$@"', path],
      });
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, new RegExp(`error\\[SAVE_FAILED\\][^]*${name} is mounted by itself`));
      assert.deepEqual(await loginsIn(home), before);
      assert.ok(!existsSync(join(home.path, "profiles/.exchange.json")));
    }
    assert.equal(await list(home), "*ada bob");
  },
);
