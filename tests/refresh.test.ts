import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, rm, rmdir, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { runCli } from "../src/cli.ts";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import type { World } from "../src/world.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { signJwt } from "./testing/jwt.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA, authClaim, BOB } from "./testing/users.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

interface Ran {
  readonly world: TestWorld;
  readonly exitCode: number;
  readonly token: string | undefined;
  readonly words: string;
}

async function token(
  home: TestHome,
  changes: Partial<World> = {},
  ...args: string[]
): Promise<Ran> {
  const world = await createWorld(changes);
  const exitCode = await runCli(["token", ...args, "--codex-home", home.path], world);
  return { world, exitCode, token: world.data[0], words: world.words.join("\n") };
}

/** Makes two seconds pass at once. */
function impatient(): Partial<World> {
  let time = 0;
  return { sleep: () => Promise.resolve(), elapsed: () => time += 500 };
}

async function untilAsked(issuer: TestIssuer): Promise<void> {
  while (issuer.asked("refresh").length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

verifies("S57", "many at once renew a login once, and all get the same token", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const all = await Promise.all(Array.from({ length: 20 }, () => token(home)));
  assert.deepEqual(all.map(({ exitCode }) => exitCode), all.map(() => 0));
  assert.equal(new Set(all.map((one) => one.token)).size, 1);
  assert.equal(issuer.asked("refresh").length, 1);
  assert.equal(issuer.liveRefreshTokens.size, 1);
});

test("a login that another program renewed meanwhile is used, and not renewed again", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const waiting = token(home, impatient());
  await untilAsked(issuer);
  // The other program was faster: it has used the token and saved what it got.
  const newer = await storeLogin(home, issuer, 3_600);
  issuer.misbehave.refresh = {
    status: 401,
    body: '{"error":{"code":"refresh_token_reused"}}',
    after: gate.promise,
  };
  gate.resolve();
  const { exitCode, token: given, words } = await waiting;
  assert.equal(exitCode, 0, words);
  assert.equal(given, newer.tokens["access_token"]);
  assert.notEqual(given, tokens["access_token"]);
});

test("an answer that comes too late does not replace a newer login", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const waiting = token(home);
  await untilAsked(issuer);
  const newer = await storeLogin(home, issuer, 3_600, BOB);
  const before = await home.readAuth();
  gate.resolve();
  const { exitCode, token: given } = await waiting;
  assert.equal(exitCode, 0);
  assert.equal(given, newer.tokens["access_token"]);
  assert.equal(await home.readAuth(), before);
});

test("a login that has a name is renewed before another sign-in moves it away", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const naming = ["profile", "save", "work", "--codex-home", home.path];
  assert.equal(await runCli(naming, await createWorld()), 0);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const waiting = token(home);
  await untilAsked(issuer);
  const key = Buffer.from("sk-proj-0123456789abcdefghijklmnop");
  const world = await createWorld({ stdin: { read: () => Promise.resolve(key) } });
  const other = runCli(["login", "--with-api-key", "--codex-home", home.path], world);
  while (!world.words.some((line) => /^Waiting for .* auth\.refresh\.lock/.test(line))) {
    await world.sleep(20);
  }
  gate.resolve();
  assert.equal((await waiting).exitCode, 0);
  assert.equal(await other, 0);
  const kept = JSON.parse(await readFile(join(home.path, "profiles", "work.json"), "utf8"));
  assert.ok(issuer.liveRefreshTokens.has(kept.tokens.refresh_token));
  assert.equal((await home.authJson())["auth_mode"], "apikey");
});

test("a login that was ended meanwhile stays ended, and its last tokens are revoked", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const waiting = token(home);
  await untilAsked(issuer);
  await unlink(home.authPath);
  gate.resolve();
  const { exitCode, token: given, words } = await waiting;
  assert.equal(exitCode, 4);
  assert.match(words, /NOT_SIGNED_IN[^]*removed while it was being renewed/);
  assert.equal(given, undefined);
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.equal(issuer.liveRefreshTokens.size, 0);
});

verifies("S60", "tokens of another user or account are refused, and the file stays", async () => {
  const changes: [name: string, change: (tokens: Record<string, unknown>) => unknown][] = [
    ["other ID token", (tokens) => {
      const { id_token } = bobs.issue(BOB);
      return { ...tokens, id_token };
    }],
    ["other account only", ({ access_token, refresh_token }) => ({
      access_token,
      refresh_token,
      id_token: signJwt({
        sub: ADA.sub,
        "https://api.openai.com/auth": { ...authClaim(ADA), chatgpt_account_id: "acct-9" },
      }),
    })],
    ["other access token", ({ refresh_token }) => ({
      refresh_token,
      access_token: bobs.issue(BOB)["access_token"],
    })],
  ];
  await using issuer = await startIssuer();
  const bobs = issuer;
  for (const [name, change] of changes) {
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const before = await home.readAuth();
    issuer.misbehave.refresh = { change: (tokens) => change(tokens) as Record<string, unknown> };
    const { exitCode, token: given, words } = await token(home, impatient());
    assert.equal(exitCode, 4, name);
    assert.match(words, /error\[ACCOUNT_MISMATCH\]/);
    assert.equal(given, undefined);
    assert.equal(await home.readAuth(), before);
    assertNoSecrets(words + await home.textOutsideAuth(), issuer);
  }
});

verifies("S60", "what the answer leaves out stays as it was", async () => {
  for (const name of ["id_token", "access_token", "refresh_token"]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { tokens } = await storeLogin(home, issuer, -10);
    issuer.misbehave.refresh = { change: ({ [name]: _, ...rest }) => rest };
    const { exitCode, words } = await token(home);
    assert.equal(exitCode, 0, words);
    const stored = (await home.authJson())["tokens"] as Record<string, string>;
    for (const member of ["id_token", "access_token", "refresh_token"]) {
      assert.equal(stored[member] === tokens[member], member === name, member);
    }
  }
});

test("a good answer in odd clothes does not cost the login", async () => {
  type Change = (tokens: Record<string, unknown>) => Record<string, unknown>;
  const rows: [name: string, headers: Record<string, string>, change: Change][] = [
    ["another type", { "content-type": "text/plain" }, (tokens) => tokens],
    ["another token_type", {}, (tokens) => ({ ...tokens, token_type: "N_A" })],
    ["an ID token of another issuer", {}, (tokens) => ({
      ...tokens,
      id_token: signJwt({ iss: "https://other.example", sub: ADA.sub }),
    })],
    ["an ID token that is none", {}, (tokens) => ({ ...tokens, id_token: "opaque" })],
  ];
  for (const [name, headers, change] of rows) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { tokens } = await storeLogin(home, issuer, -10);
    issuer.misbehave.refresh = { headers, change };
    const { exitCode, words } = await token(home);
    assert.equal(exitCode, 0, `${name}: ${words}`);
    const stored = (await home.authJson())["tokens"] as Record<string, string>;
    assert.ok(issuer.liveRefreshTokens.has(stored["refresh_token"] ?? ""), name);
    const isKept = stored["id_token"] === tokens["id_token"];
    assert.equal(isKept, name.startsWith("an ID token"), name);
    assert.equal(/new ID token is not usable/.test(words), isKept, name);
  }
});

test("a signal does not swallow a token that could not be saved", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const world = await createWorld();
  const ended = runCli(["token", "--codex-home", home.path], world);
  await untilAsked(issuer);
  world.end(new LoginError("INTERRUPTED", "Cancelled by SIGINT"));
  // Somebody damages the file meanwhile.
  await home.writeAuth("{ damaged");
  gate.resolve();
  assert.equal(await ended, 3, world.words.join("\n"));
  assert.ok(issuer.secrets.includes(world.data[0] ?? ""));
  assert.equal(issuer.liveRefreshTokens.size, 1);
  assert.equal(await home.readAuth(), "{ damaged");
});

test("a FIFO or a link in the place of our mark neither hangs nor is followed", {
  skip: process.platform === "win32" && "there are no FIFOs",
}, async () => {
  for (const isLink of [false, true]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const mark = join(home.path, "auth.refresh.sent");
    const victim = join(home.path, "victim");
    await writeFile(victim, "mine");
    if (isLink) await symlink(victim, mark);
    else execFileSync("mkfifo", [mark]);
    const { exitCode, words } = await token(home);
    assert.equal(exitCode, 0, words);
    assert.equal(await readFile(victim, "utf8"), "mine");
    await rm(mark, { force: true });
  }
});

test("nothing is sent when the result could not be saved", async () => {
  if (process.getuid?.() === 0 || process.platform === "win32") return;
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  await chmod(home.path, 0o500);
  const { exitCode, words } = await token(home);
  assert.equal(exitCode, 3, words);
  assert.equal(issuer.requests.length, 0);
});

verifies(
  "S58",
  "a new token that cannot be saved is given out all the same, with the error",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    for (const args of [[], ["--json"]]) {
      const { tokens } = await storeLogin(home, issuer, -10);
      const gate = deferred<void>();
      issuer.misbehave.refresh = { after: gate.promise };
      const waiting = token(home, {}, ...args);
      await untilAsked(issuer);
      // A folder stands in the way now.
      await unlink(home.authPath);
      await mkdir(home.authPath);
      gate.resolve();
      const { exitCode, token: given, words } = await waiting;
      assert.equal(exitCode, 3, words);
      assert.match(words, /error\[SAVE_FAILED\][^]*not a regular file/);
      const shown = args.length === 0 ? given : JSON.parse(given ?? "").accessToken;
      assert.ok(issuer.secrets.includes(shown) && shown !== tokens["access_token"]);
      if (args.length > 0) assert.equal(JSON.parse(given ?? "").error.code, "SAVE_FAILED");
      await rmdir(home.authPath);
      issuer.requests.length = 0;
    }
  },
);

test("a signal during the request waits until the new tokens are saved", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const gate = deferred<void>();
  issuer.misbehave.refresh = { after: gate.promise };
  const world = await createWorld();
  const ended = runCli(["token", "--codex-home", home.path], world);
  await untilAsked(issuer);
  world.end(new LoginError("INTERRUPTED", "Cancelled by SIGINT"));
  gate.resolve();
  assert.equal(await ended, 130);
  const stored = (await home.authJson())["tokens"] as Record<string, string>;
  assert.ok(issuer.liveRefreshTokens.has(stored["refresh_token"] ?? ""));
  assert.deepEqual(world.data, []);
});

test("a refusal after a renewal that was cut off says so", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  issuer.misbehave.refresh = { reset: true };
  const broken = await token(home);
  assert.equal(broken.exitCode, 5, broken.words);
  issuer.misbehave.refresh = { status: 401, body: '{"error":{"code":"refresh_token_reused"}}' };
  for (let i = 0; i < 2; i++) {
    const { exitCode, words } = await token(home, impatient());
    assert.equal(exitCode, 4);
    assert.match(words, /cause: an earlier renewal ended before its answer was saved; HTTP 401/);
  }
});

verifies(
  "S59",
  "a refusal for good is asked for once by all who wait, and again by who insists",
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    issuer.misbehave.refresh = { status: 401, body: '{"error":{"code":"refresh_token_expired"}}' };
    const all = await Promise.all(Array.from({ length: 12 }, () => token(home)));
    for (const { exitCode, words } of all) {
      assert.equal(exitCode, 4, words);
      assert.match(words, /error\[REFRESH_TOKEN_EXPIRED\]/);
    }
    assert.equal(issuer.asked("refresh").length, 1);
    const world = await createWorld(impatient());
    assert.equal(await runCli(["refresh", "--codex-home", home.path], world), 4);
    assert.equal(issuer.asked("refresh").length, 2);
    // Another login is another story.
    delete issuer.misbehave.refresh;
    await storeLogin(home, issuer, -10);
    assert.equal((await token(home)).exitCode, 0);
  },
);

/** A clock for each of so many processes, and the moment when all of them have looked at theirs, which they do first. */
function createClocks(
  count: number,
  now: () => number = Date.now,
): { readonly areRead: Promise<void>; next(): Pick<World, "now"> } {
  const areRead = deferred<void>();
  let unread = count;
  let ticks = 0;
  return {
    areRead: areRead.promise,
    next(): Pick<World, "now"> {
      let isRead = false;
      return {
        now(): number {
          if (!isRead && --unread === 0) areRead.resolve();
          isRead = true;
          // No two readings are the same.
          return now() + ticks++;
        },
      };
    },
  };
}

test("a failure that may pass is met once by all who wait, and the issuer asked again by who comes later", async () => {
  const error = new LoginError("RESPONSE_TIMEOUT", "The issuer could not be asked", {
    reason: "connected, but no complete answer in time",
  });
  const rows: [lifetimeS: number, args: string[], exitCode: number][] = [
    [-10, [], 5],
    [200, [], 0],
    [200, ["--min-ttl", "4m"], 5],
  ];
  for (const [lifetimeS, args, exitCode] of rows) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { tokens } = await storeLogin(home, issuer, lifetimeS);
    const before = await home.readAuth();
    const clocks = createClocks(6);
    let calls = 0;
    const fetch = async (): Promise<Response> => {
      calls++;
      await clocks.areRead;
      throw error;
    };
    const all = await Promise.all(
      Array.from({ length: 6 }, () => token(home, { ...clocks.next(), fetch }, ...args)),
    );
    assert.equal(calls, 1);
    for (const one of all) {
      assert.equal(one.exitCode, exitCode, one.words);
      assert.equal(one.token, exitCode === 0 ? tokens["access_token"] : undefined);
      const says = exitCode === 0
        ? /could not be renewed \(RESPONSE_TIMEOUT\); the stored token still works/
        : /error\[RESPONSE_TIMEOUT\][^]*try: {3}check the connection, then run the command again$/;
      assert.match(one.words, says);
    }
    const shared = all.filter(({ words }) => /another process asked the issuer/.test(words));
    assert.equal(shared.length, exitCode === 0 ? 0 : 5);
    assert.equal(await home.readAuth(), before);
    assertNoSecrets(await home.textOutsideAuth(), issuer);
    assert.equal((await token(home)).exitCode, 0);
    assert.equal(issuer.asked("refresh").length, 1);
    assert.ok(!(await home.list()).includes("auth.refresh.sent"));
  }
});

test("the mark says whether a token may be used up, whatever the failure", async () => {
  const rows: [failure: LoginError | { status: number; body: string }, mark: RegExp][] = [
    [new LoginError("CONNECTION_RESET", "It broke"), / cut CONNECTION_RESET \d+$/],
    [
      new LoginError("DNS", "No address", { requestSent: false }),
      / whole DNS \d+$/,
    ],
    [{ status: 429, body: "" }, / whole REFRESH_FAILED \d+$/],
    [{ status: 503, body: "" }, / cut REFRESH_FAILED \d+$/],
  ];
  for (const [failure, mark] of rows) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const fetch = (): Promise<Response> =>
      failure instanceof LoginError
        ? Promise.reject(failure)
        : Promise.resolve(new Response(failure.body, { status: failure.status }));
    const path = join(home.path, "auth.refresh.sent");
    assert.equal((await token(home, { ...impatient(), fetch })).exitCode, 5);
    const first = await readFile(path, "utf8");
    assert.match(first, mark);
    // What may be used up stays so, even when the next request never leaves.
    const offline = new LoginError("DNS", "No address", { requestSent: false });
    await token(home, { ...impatient(), fetch: () => Promise.reject(offline) });
    const word = / cut /.test(first) ? "cut" : "whole";
    assert.match(await readFile(path, "utf8"), new RegExp(` ${word} DNS \\d+$`));
    issuer.misbehave.refresh = { status: 401, body: '{"error":{"code":"refresh_token_reused"}}' };
    const { exitCode, words } = await token(home, impatient());
    assert.equal(exitCode, 4);
    assert.equal(/an earlier renewal ended/.test(words), word === "cut", words);
  }
});

test("a failure from the future, after the clock was set back, is no reason not to ask", async () => {
  for (const code of ["RESPONSE_TIMEOUT", "REFRESH_TOKEN_EXPIRED"]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const broken = new LoginError("CONNECTION_RESET", "It broke");
    await token(home, { fetch: () => Promise.reject(broken) });
    const path = join(home.path, "auth.refresh.sent");
    const [print, story] = (await readFile(path, "utf8")).split(" ");
    await writeFile(path, `${print} ${story} ${code} ${Date.now() + 86_400_000}`);
    assert.equal((await token(home)).exitCode, 0);
    assert.equal(issuer.asked("refresh").length, 1);
  }
});

test("a clock that is ahead by more than a token's life makes nobody renew what was just renewed", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const clocks = createClocks(5, () => Date.now() + 30 * 86_400_000);
  issuer.misbehave.refresh = { after: clocks.areRead };
  const ended = await Promise.all(Array.from({ length: 5 }, () => token(home, clocks.next())));
  for (const { exitCode, words } of ended) assert.equal(exitCode, 0, words);
  assert.equal(new Set(ended.map((one) => one.token)).size, 1);
  assert.equal(issuer.asked("refresh").length, 1);
  const stored = (await home.authJson())["tokens"] as Record<string, string>;
  assert.ok(issuer.liveRefreshTokens.has(stored["refresh_token"] ?? ""));
});

verifies("S39", "a clock that is wrong by years is told, and makes no loop", async () => {
  for (const years of [-3, 3]) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, 3_600);
    const now = (): number => Date.now() + years * 365 * 86_400_000;
    const { exitCode, words } = await token(home, { now }, "--min-ttl", "480h");
    assert.equal(exitCode, 0, words);
    if (issuer.asked("refresh").length === 0) assert.equal(years, -3);
    else {
      assert.equal(issuer.asked("refresh").length, 1);
      assert.match(words, /This computer's clock is 1095 days ahead of the issuer's/);
    }
  }
});

verifies("S35", "a request that never left is sent once more, and only then", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const real = (await createWorld()).fetch;
  const tries: string[] = [];
  const refusing = (isSent: boolean): Partial<World> => ({
    sleep: () => Promise.resolve(),
    fetch(url, init): Promise<Response> {
      tries.push(url);
      if (tries.length > 1) return real(url, init);
      return Promise.reject(
        new LoginError("CONNECTION_RESET", "It broke", { requestSent: isSent }),
      );
    },
  });
  assert.equal((await token(home, refusing(true))).exitCode, 5);
  assert.equal(tries.length, 1);
  tries.length = 0;
  assert.equal((await token(home, refusing(false))).exitCode, 0);
  assert.equal(tries.length, 2);
});

test("all requests of a refresh share twenty seconds", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, -10);
  const unread = (): Promise<Response> => Promise.resolve(new Response("", { status: 415 }));
  const unsent = (): Promise<Response> =>
    Promise.reject(new LoginError("CONNECT_TIMEOUT", "Nobody", { requestSent: false }));
  const answers: [seconds: number, answer: () => Promise<Response>][] = [
    [9, unread],
    [8, unsent],
    [2.5, unread],
  ];
  const limits: (number | undefined)[] = [];
  let time = 0;
  const { exitCode, words } = await token(home, {
    elapsed: () => time,
    sleep(ms): Promise<void> {
      time += ms;
      return Promise.resolve();
    },
    fetch(_, { limitMs }): Promise<Response> {
      const [seconds, answer] = answers[limits.push(limitMs) - 1] ?? [0, unread];
      time += seconds * 1_000;
      return answer();
    },
  });
  assert.equal(exitCode, 5, words);
  assert.match(words, /error\[REFRESH_FAILED\][^]*HTTP 415/);
  assert.deepEqual(limits, [20_000, 11_000, 2_500]);
  assertNoSecrets(words + await home.textOutsideAuth(), issuer);
});

test("a refresh goes where the login came from, unless a variable says otherwise", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { document } = await storeLogin(home, issuer, -10);
  const hostile = {
    ...document,
    tokens: {
      ...document["tokens"] as object,
      oauth_provenance: { issuer: "http://evil.example", client_id: "x" },
    },
  };
  await home.writeAuth(hostile);
  const refused = await token(home, impatient());
  assert.equal(refused.exitCode, 4, refused.words);
  assert.match(refused.words, /it is not https/);
  assert.equal(issuer.requests.length, 0);

  await home.writeAuth(document);
  const env = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token?tenant=7` };
  const moved = await token(home, { env });
  assert.equal(moved.exitCode, 0, moved.words);
  assert.equal(issuer.asked("refresh")[0]?.url.search, "?tenant=7");
  assert.match(moved.words, /CODEX_REFRESH_TOKEN_URL_OVERRIDE decides/);
});

verifies("S50", "any member at any level survives a refresh, and the order of all", async () => {
  const own = new Set(["id_token", "access_token", "refresh_token"]);
  const member = fc.tuple(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 }));
  await using issuer = await startIssuer();
  await using home = await createHome();
  await fc.assert(
    fc.asyncProperty(fc.array(member), fc.array(member), async (top, inner) => {
      const { document } = await storeLogin(home, issuer, -10);
      const known = (value: unknown): Set<string> => new Set(Object.keys(value as object));
      const foreign = (members: [string, unknown][], names: Set<string>): [string, unknown][] =>
        members.filter(([name]) => !names.has(name) && !KNOWN_TO_THE_FILE.has(name));
      const tokens = document["tokens"] as Record<string, unknown>;
      // fromEntries defines members, so that one named "__proto__" is data.
      const before = Object.fromEntries([
        ...foreign(top, known(document)),
        ...Object.entries(document).filter(([name]) => name !== "tokens"),
        [
          "tokens",
          Object.fromEntries([...Object.entries(tokens), ...foreign(inner, known(tokens))]),
        ],
      ]);
      await home.writeAuth(JSON.stringify(before));
      const { exitCode, words } = await token(home);
      assert.equal(exitCode, 0, words);
      const hide = (name: string, value: unknown): unknown =>
        own.has(name) || name === "last_refresh" ? "" : value;
      const after = JSON.parse(await home.readAuth());
      assert.equal(
        JSON.stringify(after, hide),
        JSON.stringify(JSON.parse(JSON.stringify(before)), hide),
      );
    }),
    { numRuns: 40 },
  );
});

/** What has to be of a certain form, or the file is damaged. */
const KNOWN_TO_THE_FILE = new Set([
  "auth_mode",
  "OPENAI_API_KEY",
  "personal_access_token",
  "oauth_provenance",
  "login_owner_id",
  "account_id",
  "last_refresh",
]);
