import assert from "node:assert/strict";
import { test } from "node:test";
import { createHome } from "../testing/home.ts";
import { startIssuer } from "../testing/issuer.ts";
import { everyProgram, runProgram, type StartOptions } from "../testing/program.ts";
import { MISSING_SECRET_SERVICE, startSecretService } from "../testing/secret_service.ts";
import { storeLogin } from "../testing/stored_login.ts";
import { runReference } from "./reference.ts";

const OPTIONS = { timeout: 120_000, skip: MISSING_SECRET_SERVICE };
const KEY = "sk-proj-0123456789abcdefghijklmnop";
const KEYRING = ["-c", 'cli_auth_credentials_store="keyring"'];

test(
  "in a real keyring each reads, replaces and removes what the other wrote",
  OPTIONS,
  async () => {
    await using service = await startSecretService();
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { env } = service;
    const ours = (args: string[], input = ""): ReturnType<typeof runProgram> =>
      runProgram(home, [...args, ...KEYRING], { env, input });
    const theirs = (args: string[], input = ""): ReturnType<typeof runProgram> =>
      runReference(home, issuer, [...args, ...KEYRING], { env, input });

    assert.equal((await ours(["login", "--with-api-key"], KEY)).exitCode, 0);
    const status = await theirs(["login", "status"]);
    assert.equal(status.exitCode, 0, status.stderr);
    assert.match(status.stderr, /API key configured/);
    assert.equal((await theirs(["login", "--with-api-key"], `${KEY}-theirs`)).exitCode, 0);
    assert.equal(service.search().match(/^secret = /gm)?.length, 1);
    assert.equal((await ours(["token"])).stdout, `${KEY}-theirs\n`);
    assert.equal((await ours(["login", "--with-api-key"], `${KEY}-ours`)).exitCode, 0);
    assert.equal((await theirs(["logout"])).exitCode, 0);
    assert.equal((await ours(["status"])).exitCode, 1);

    assert.equal((await theirs(["login", "--with-api-key"], KEY)).exitCode, 0);
    assert.equal((await ours(["status"])).exitCode, 0);
    assert.equal((await ours(["logout"])).exitCode, 0);
    assert.match((await theirs(["login", "status"])).stderr, /Not logged in/);
    assert.equal(service.search(), "");
  },
);

test(
  "a login in the keyring is renewed once for all processes, and the reference reads the result",
  OPTIONS,
  async () => {
    await using service = await startSecretService();
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const programs = everyProgram();
    const run = (options: StartOptions): ReturnType<typeof runProgram> =>
      runProgram(home, ["token", ...KEYRING], { env: service.env, ...options });
    // The login is in auth.json yet: it is moved on the way.
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => run({ program: programs[i % programs.length] ?? [] })),
    );
    for (const { exitCode, stderr } of all) assert.equal(exitCode, 0, stderr);
    assert.equal(new Set(all.map(({ stdout }) => stdout)).size, 1);
    assert.equal(issuer.asked("refresh").length, 1);
    assert.ok(!(await home.list()).includes("auth.json"));
    const status = await runReference(home, issuer, ["login", "status", ...KEYRING], {
      env: service.env,
    });
    assert.match(status.stderr, /Logged in using ChatGPT/);
  },
);
