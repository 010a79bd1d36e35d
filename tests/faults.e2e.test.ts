import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { apiKeyDocument, chatGptDocument } from "../src/credentials/auth_document.ts";
import { formatAuthFile } from "../src/credentials/auth_file.ts";
import { isJsonObject } from "../src/json.ts";
import { maskKey } from "../src/printable.ts";
import { removeCountedProgram } from "./testing/counted_program.ts";
import { visit } from "./testing/fake_browser.ts";
import { failEverywhere, killEverywhere, type Scenario } from "./testing/fault_injection.ts";
import type { TestHome } from "./testing/home.ts";
import type { TestIssuer } from "./testing/issuer.ts";
import { signJwt } from "./testing/jwt.ts";
import { runProgram, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { storeLogin as storeExpiredLogin } from "./testing/stored_login.ts";
import { onlyThorough } from "./testing/thorough.ts";
import { missingTool } from "./testing/tools.ts";
import { ADA, authClaim, BOB } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const KEY = "sk-new-0123456789abcdefghijklmnop";

/** Stores a ChatGPT login of Ada that this issuer gave, with a member that is somebody else's. */
async function storeLogin(home: TestHome, issuer: TestIssuer): Promise<void> {
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  const claims = { iss: issuer.url, sub: ADA.sub, email: ADA.email, exp };
  const token = signJwt({ ...claims, "https://api.openai.com/auth": authClaim(ADA) });
  const login = {
    ...{ idToken: token, accessToken: token, refreshToken: "rt_earlier_0123456789" },
    ...{ issuer: issuer.url, clientId: "app_EMoamEEZ73f0CkXaXp7hrann" },
    ...{ loginOwnerId: "earlier", accountId: ADA.accountId, at: Date.now() },
  };
  issuer.secrets.push(token, login.refreshToken);
  await home.writeAuth(formatAuthFile(chatGptDocument(login, { mine: { kept: [1, 2, 3] } })));
}

const SAVES = [
  /^openat \.auth.*tmp$/,
  /^write \.auth.*tmp$/,
  /^fsync \.auth.*tmp$/,
  /^rename\w* \.auth.*tmp$/,
  /^fsync \.$/,
  /^flock auth\.json\.lock$/,
];

/** What is left of a copy that a mounted file would have had, when all is saved. */
const isPendingRemoved: Scenario["isHarmless"] = ({ path }) => path === "auth.json.pending";

const keyLogin: Scenario = {
  name: "login --with-api-key",
  args: () => ["login", "--with-api-key"],
  input: KEY,
  prepare: storeLogin,
  isDone: (text) => text === formatAuthFile(apiKeyDocument(KEY, { mine: { kept: [1, 2, 3] } })),
  isHarmless: isPendingRemoved,
  touches: SAVES,
};

const browserLogin: Scenario = {
  name: "login",
  args: ({ url }) => ["login", "--issuer", url, "--port", "0", "--no-browser"],
  async prepare(home, issuer): Promise<void> {
    await storeLogin(home, issuer);
    // Its key would be a save of its own, of which nobody is told when it fails.
    issuer.misbehave.apiKey = { status: 403 };
  },
  meanwhile: async (program) => void await visit(await program.authUrl()),
  isDone: isNewLogin,
  isHarmless: isPendingRemoved,
  touches: SAVES,
};

function isNewLogin(text: string | undefined, issuer: TestIssuer): boolean {
  const { tokens, mine } = assertReferenceReads(text ?? "");
  assert.deepEqual(mine, { kept: [1, 2, 3] });
  return isJsonObject(tokens) && issuer.liveRefreshTokens.has(String(tokens["refresh_token"]));
}

const REMOVES = [/^unlink\w* auth\.json$/, /^flock auth\.json\.lock$/, /^fsync \.$/];

const localLogout: Scenario = {
  name: "logout --local-only",
  args: () => ["logout", "--local-only"],
  prepare: storeLogin,
  isDone: (text) => text === undefined,
  status: (outcome) => outcome === "done" ? 1 : 0,
  touches: REMOVES,
};

const logout: Scenario = { ...localLogout, name: "logout", args: () => ["logout"] };

const damagedLogin: Scenario = {
  ...keyLogin,
  name: "login --with-api-key over a damaged file",
  prepare: (home) => home.writeAuth(DAMAGED),
  isDone: (text) => text === formatAuthFile(apiKeyDocument(KEY, undefined)),
  isBetween: async (home) => await readAside(home) === DAMAGED,
  async afterKill({ home, outcome }): Promise<void> {
    if (outcome === "done") assert.equal(await readAside(home), DAMAGED);
  },
  status: (outcome) => ({ old: 3, between: 1, done: 0 })[outcome],
  touches: [...SAVES, /^rename\w* auth\.json$/],
};

const DAMAGED = '{"tokens": {"id_token": "eyJ';

async function readAside(home: TestHome): Promise<string | undefined> {
  const name = (await home.list()).find((one) => one.startsWith("auth.json.corrupt-"));
  return name && await readFile(join(home.path, name), "utf8");
}

/**
 * A file that is a mount point of its own, as a container is given one, can only be written in place: what it holds at
 * every moment is for us to say, with the help of the copy beside it.
 */
const mountedLogin: Scenario = {
  ...keyLogin,
  name: "login --with-api-key into a mounted auth.json",
  async prepare(home): Promise<void> {
    await home.writeAuth("");
    const text = formatAuthFile(apiKeyDocument("sk-mounted-0123456789", undefined));
    await writeFile(join(home.path, "outside.json"), text, { mode: 0o600 });
  },
  wrapper: ({ path }) => ["unshare", "-m", "sh", "-ec", MOUNT, path],
  async read(home): Promise<string> {
    const options = { wrapper: mountedLogin.wrapper?.(home) ?? [], cwd: "/" };
    const { stdout, stderr } = await runProgram(home, ["status", "--json"], options);
    return JSON.parse(stdout).apiKey ?? stderr;
  },
  isDone: (shown) => shown === maskKey(KEY),
  owns: /^outside\.json$/,
  touches: [/^p?write\w* auth\.json$/, /^fsync auth\.json$/],
};

const MOUNT = 'mount --bind "$0/outside.json" "$0/auth.json"; exec "$@"';

/** The rest of it fails as it does for any other file. */
const IN_PLACE = /^(p?write\w*|fsync|ftruncate) auth\.json$/;

/** Only what luck can save is lost: a kill between the issuer's answer and the rename, and then that is said. */
const refresh: Scenario = {
  name: "refresh",
  args: () => ["refresh"],
  prepare: async (home, issuer) => void await storeExpiredLogin(home, issuer, -10),
  isDone: (text, issuer) => {
    const { tokens, mine } = assertReferenceReads(text ?? "");
    assert.deepEqual(mine, { also: "kept" });
    return isJsonObject(tokens) && issuer.liveRefreshTokens.has(String(tokens["refresh_token"]));
  },
  // The mark of a token that is on its way makes a message better, and no more.
  isHarmless: ({ path }) => isPendingRemoved({ path } as never) || path === "auth.refresh.sent",
  async afterKill({ home, issuer, outcome }): Promise<void> {
    const wasAsked = issuer.asked("refresh").length > 0;
    const { exitCode, stdout, stderr } = await runProgram(home, ["token"], { cwd: "/" });
    if (outcome === "done" || !wasAsked) assert.equal(exitCode, 0, stderr);
    else {
      assert.deepEqual([exitCode, stdout], [4, ""], stderr);
      assert.match(stderr, /REFRESH_TOKEN_REUSED[^]*an earlier renewal ended before its answer/);
    }
  },
  touches: [...SAVES, /^flock auth\.refresh\.lock$/],
};

/** Two logins change places: whatever happens, each of them exists once, and the list says where. */
const profileUse: Scenario = {
  name: "profile use",
  args: () => ["profile", "use", "home"],
  async prepare(home, issuer): Promise<void> {
    await storeExpiredLogin(home, issuer, 3_600, BOB);
    const bob = await home.readAuth();
    await storeExpiredLogin(home, issuer, 3_600, ADA);
    await mkdir(join(home.path, "profiles"), { mode: 0o700 });
    const marker = { name: "work", accountId: ADA.accountId, userId: ADA.sub };
    for (const [name, text] of [["home", bob], ["active", JSON.stringify(marker)]] as const) {
      await writeFile(join(home.path, "profiles", `${name}.json`), text, { mode: 0o600 });
    }
  },
  async read(home): Promise<string> {
    const { stdout, stderr } = await runProgram(home, ["profile", "list", "--json"], { cwd: "/" });
    const { profiles } = JSON.parse(stdout || "{}");
    return profiles?.map((one: { name: string; active: boolean; account: { email: string } }) =>
      `${one.active ? "*" : ""}${one.name}=${one.account.email}`
    ).join(" ") ?? stderr;
  },
  isDone: (list) => list === "*home=bob@example.com work=ada@example.com",
  async afterKill({ home }): Promise<void> {
    for (const name of ["home", "work"]) {
      const { exitCode, stderr } = await runProgram(home, ["profile", "use", name], { cwd: "/" });
      assert.equal(exitCode, 0, stderr);
    }
    const names = await readdir(join(home.path, "profiles"));
    assert.deepEqual(names.sort(), ["active.json", "home.json"]);
    assert.match(await home.readAuth(), /acct-1111/);
  },
  // Once the chosen login is in place, what is missing is made up for by the next command that writes.
  isHarmless: ({ name, path, text }) =>
    path.startsWith("profiles/.active.json") ||
    (path === "profiles" && !name.startsWith("getdents") && !/O_DIRECTORY/.test(text)) ||
    (name.startsWith("unlink") && path === "profiles/.exchange.json"),
  isSometimesHarmless: ({ name, path, text }) =>
    path === "profiles" && (name.startsWith("getdents") || /O_DIRECTORY/.test(text)),
  owns: /^profiles$/,
  touches: [
    /^rename\w* auth\.json$/,
    /^rename\w* profiles\/home\.json$/,
    /^fsync profiles$/,
    /^unlink\w* profiles\/\.exchange\.json$/,
  ],
};

const SLOW = { timeout: 120_000 };
const IN_FULL = { timeout: 600_000 };
const WITH_STRACE = missingTool("strace", "-V");
const AT_EACH_CALL = SUBJECT === "executable"
  ? WITH_STRACE || onlyThorough()
  : "in full only for the executable";
const MOUNTED = AT_EACH_CALL ||
  (spawnSync("unshare", ["-m", "true"]).status !== 0 && "mounting takes root on Linux");

after(removeCountedProgram);

for (
  const [scenario, skip] of [
    [keyLogin, AT_EACH_CALL],
    [browserLogin, AT_EACH_CALL],
    [localLogout, AT_EACH_CALL],
    [logout, AT_EACH_CALL],
    [damagedLogin, AT_EACH_CALL],
    [mountedLogin, MOUNTED],
    [refresh, AT_EACH_CALL],
    [profileUse, AT_EACH_CALL],
  ] as const
) {
  verifies(
    ["S45", "S46", "S58"],
    `${SUBJECT}: kill -9 at each system call of ${scenario.name} leaves the old or the new`,
    { ...IN_FULL, skip },
    () => killEverywhere(scenario),
  );
  verifies(
    "S47",
    `${SUBJECT}: a disk error at each system call of ${scenario.name} changes nothing, and is told`,
    { ...IN_FULL, skip },
    () => failEverywhere(scenario, scenario === mountedLogin ? IN_PLACE : undefined),
  );
}

/** The calls that write, sync, rename and remove: where the runtimes differ from each other. */
const WRITING = /^(p?write\w*|fsync|rename\w*|unlink\w*) (\.auth.*tmp|auth\.json)$/;

for (
  const [scenario, rows] of [
    [keyLogin, ["S46", "S47"]],
    [refresh, ["S46", "S47", "S58"]],
    [localLogout, ["S46", "S47"]],
  ] as const
) {
  verifies(rows, `${SUBJECT}: kill -9 and disk errors where ${scenario.name} writes`, {
    ...IN_FULL,
    skip: WITH_STRACE,
  }, async () => {
    const here = {
      ...scenario,
      touches: scenario.touches.filter((one) =>
        /(write|fsync|rename\\w\*) \\.auth/.test(one.source)
      ),
    };
    await killEverywhere(here, WRITING);
    await failEverywhere(here, WRITING);
  });
}

test("programs that do it carelessly are caught", { ...SLOW, skip: AT_EACH_CALL }, async () => {
  const careless = (script: string): Scenario => ({
    ...keyLogin,
    command: ["sh", "-c", script],
    isDone: (text) => text === KEY,
    touches: [],
  });
  const inPlace = careless('cat > "$CODEX_HOME/auth.json"');
  await assert.rejects(killEverywhere(inPlace), /kill at write [^]*neither old nor new: ""/);
  await assert.rejects(failEverywhere(inPlace), /error=ENOSPC at write [^]*1 !== 3/);
  const open = careless('cd "$CODEX_HOME" && cat > new && chmod 600 new && mv new auth.json');
  await assert.rejects(killEverywhere(open), /new was left/);
});
