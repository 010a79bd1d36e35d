import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { assertNoCanary, formsOf } from "./testing/canaries.ts";
import { NAVIGATION, obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { type Program, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA, BOB } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
/** Each form of writing writes these in its own way. */
const SUFFIX = '"+/\\%&';
const PASSWORD = `proxy-canary-${SUFFIX}`;
const FOREIGN = `foreign-canary-${SUFFIX}`;

interface Scene extends AsyncDisposable {
  readonly home: TestHome;
  readonly issuer: TestIssuer;
  /** What the run showed, by place. */
  readonly pages: string[];
  start(command: "login" | "other", ...args: string[]): Program;
  /** Nothing of any secret is anywhere; `shown` is what a person has to see. */
  assertClean(program: Program, exitCode: number, shown?: readonly string[]): Promise<void>;
}

async function prepare(options: Parameters<typeof startIssuer>[0] = {}): Promise<Scene> {
  const issuer = await startIssuer({ secretSuffix: SUFFIX, users: [ADA, BOB], ...options });
  const home = await createHome();
  const temporary = join(home.path, "tmp");
  await mkdir(temporary);
  const pages: string[] = [];
  // Loopback goes through no proxy; what is in the variable must be nowhere all the same.
  const proxy = `http://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:9`;
  const env = { HTTPS_PROXY: proxy, https_proxy: proxy, TMPDIR: temporary };
  return {
    home,
    issuer,
    pages,
    start(command, ...args): Program {
      const verbose = ["--verbose", ...args];
      return command === "login"
        ? startLogin(home, issuer, verbose, { env })
        : startProgram(home, verbose, { env });
    },
    async assertClean(program, exitCode, shown = []): Promise<void> {
      const ended = await program.ended;
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      const authUrl = /http\S+\/oauth\/authorize\?[^\s"]+/.exec(ended.stderr + ended.stdout)?.[0];
      const own = authUrl === undefined ? [] : [new URL(authUrl).searchParams.get("state") ?? ""];
      const sent = issuer.requests.flatMap(({ body }) => {
        const verifier = new URLSearchParams(body).get("code_verifier");
        return verifier === null ? [] : [verifier];
      });
      const secrets = [...issuer.secrets, ...own, ...sent, PASSWORD, FOREIGN];
      const withoutShown = (text: string): string =>
        [...authUrl === undefined ? [] : [authUrl], ...shown].reduce(
          (rest, part) => rest.replaceAll(part, ""),
          text,
        );
      assertNoCanary({
        stdout: withoutShown(ended.stdout),
        stderr: withoutShown(ended.stderr),
        "the files": await home.textOutsideAuth(),
        "the pages": pages.join("\n"),
      }, secrets);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await issuer[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** What `ps` shows of every process. */
function processList(): string {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  }).join("\n");
}

/** Pages as a browser gets them: their heads too, but for the address that the issuer sends it back with. */
async function browse({ pages, issuer }: Scene, authUrl: string): Promise<string> {
  const steps = await visit(authUrl);
  for (const { url, reply } of steps) {
    if (!url.startsWith(issuer.url)) pages.push(JSON.stringify(reply));
  }
  return steps.at(-1)?.reply.body ?? "";
}

/** The story of one attempt: its lines, all with one id. */
function readStory(home: TestHome): { text: string; last: string } {
  const text = readFileSync(join(home.path, "log", "codex-login.log"), "utf8");
  const last = / attempt=([a-z2-7]{8})\n$/.exec(text)?.[1] ?? "";
  assert.notEqual(last, "", text);
  return { text, last };
}

test("a canary is found in every form", () => {
  const secret = `code_${"abcdefghij".repeat(9)}${SUFFIX}`;
  const wrapped = `x${secret}y`;
  for (
    const text of [
      secret,
      `…${secret.slice(0, 25)}…`,
      encodeURIComponent(wrapped),
      JSON.stringify(wrapped),
      Buffer.from(wrapped).toString("base64"),
      Buffer.from(`ab${secret}`).toString("base64url"),
      Buffer.from(secret).toString("hex"),
    ]
  ) {
    assert.ok([...formsOf(secret)].some((form) => text.includes(form)), text);
    assert.throws(() => assertNoCanary({ text }, [secret]));
  }
});

verifies(
  ["S62", "S64"],
  `${SUBJECT}: a sign-in over another user's login leaves no secret anywhere but in the store`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const { home, issuer } = scene;
    await storeLogin(home, issuer, 3_600, BOB);
    for (const json of [[], ["--json"]]) {
      const answer = deferred<void>();
      issuer.misbehave.token = { after: answer.promise };
      const asked = issuer.asked("token").length;
      const program = scene.start("login", ...json);
      const [authUrl] = await program.shows(/http\S+\/oauth\/authorize\?[^\s"]+/);
      const browsing = browse(scene, authUrl);
      while (issuer.asked("token").length === asked) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const [state, verifier] = [
        new URL(authUrl).searchParams.get("state") ?? "",
        new URLSearchParams(issuer.asked("token").at(-1)?.body).get("code_verifier") ?? "",
      ];
      assertNoCanary({ "the process list": processList() }, [
        ...issuer.secrets,
        state,
        verifier,
        PASSWORD,
      ]);
      answer.resolve();
      await browsing;
      await scene.assertClean(program, 0);
    }
    const { text } = readStory(home);
    for (
      const part of [
        / INFO codex_login::story: preparing a sign-in version=\S+ runtime=\w+ platform=\w+ issuer=/,
        / INFO codex_login::story: store check done duration_ms=\d+ /,
        / INFO codex_login::story: listening done duration_ms=\d+ /,
        / INFO codex_login::story: a code came duration_ms=\d+ /,
        / INFO codex_login::story: request answered endpoint=\S+\/oauth\/token status=200 duration_ms=\d+ /,
        / INFO codex_login::story: token exchange done duration_ms=\d+ /,
        / INFO codex_login::story: token check done duration_ms=\d+ /,
        / INFO codex_login::story: save done duration_ms=\d+ /,
        / INFO codex_login::story: page delivery done duration_ms=\d+ /,
        / INFO codex_login::auth::manager: revoked auth tokens /,
      ]
    ) assert.match(text, part);
  },
);

type Failure = readonly [
  name: string,
  wrong: TestIssuer["misbehave"],
  exitCode: number,
  told: RegExp,
  args?: readonly string[],
];

const FAILURES: readonly Failure[] = [
  [
    "a refusal that says what it was sent",
    { token: { echoes: true } },
    1,
    /TOKEN_ENDPOINT status=400/,
  ],
  [
    "an error that says it",
    { token: { echoes: true, status: 500 } },
    1,
    /ISSUER_FAULT status=500/,
  ],
  ["a connection that is cut", { token: { reset: true } }, 5, /CONNECTION_RESET cause=/],
  [
    "a page instead of JSON",
    { token: { status: 200, headers: { "content-type": "text/html" }, body: "<html>" } },
    5,
    /CAPTIVE_PORTAL cause=/,
  ],
  [
    "an ID token that is none",
    { token: { change: (answer) => ({ ...answer, id_token: answer["refresh_token"] }) } },
    1,
    /ID_TOKEN_INVALID cause=/,
  ],
  ["another workspace", {}, 1, /WORKSPACE_MISMATCH/, ["--expect-workspace", "another"]],
];

for (const [name, wrong, exitCode, told, args = []] of FAILURES) {
  verifies(
    ["S36", "S64"],
    `${SUBJECT}: ${name} leaves no secret anywhere, and a reference on page, terminal and in the log`,
    SLOW,
    async () => {
      await using scene = await prepare();
      const { home, issuer } = scene;
      Object.assign(issuer.misbehave, wrong);
      const program = scene.start("login", ...args);
      const page = await browse(scene, await program.authUrl());
      await scene.assertClean(program, exitCode);
      await assert.rejects(home.readAuth(), "nothing was stored");
      const { text, last } = readStory(home);
      assert.match(text, new RegExp(`command failed code=${told.source}.* attempt=${last}\\n$`));
      assert.match(page, new RegExp(`Reference: <code>${last}</code>`));
      assert.match(program.stderr(), new RegExp(`\\n {2}note: {2}reference ${last}\\n`));
    },
  );
}

verifies(
  ["S18", "S36", "S64"],
  `${SUBJECT}: callbacks of others, and one that denies and says what we sent, leave nothing`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const program = scene.start("login");
    const authUrl = await program.authUrl();
    const query = new URL(authUrl).searchParams;
    const state = query.get("state") ?? "";
    const visitWith = async (members: Record<string, string>): Promise<number> => {
      const address = `${query.get("redirect_uri")}?${new URLSearchParams(members)}`;
      const reply = await get(address, { headers: NAVIGATION });
      scene.pages.push(JSON.stringify(reply));
      return reply.status;
    };
    assert.equal(await visitWith({ code: FOREIGN, state: "wrong" }), 400);
    assert.equal(await visitWith({ error: FOREIGN, error_description: FOREIGN, state: "x" }), 400);
    const description = `you sent ${state} and ${encodeURIComponent(state)}`;
    assert.equal(
      await visitWith({ error: "access_denied", error_description: description, state }),
      403,
    );
    await scene.assertClean(program, 1);
  },
);

verifies(
  "S64",
  `${SUBJECT}: nobody comes, and what a person pastes is of another sign-in`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const program = startLogin(
      scene.home,
      scene.issuer,
      ["--verbose", "--paste", "--timeout", "1s"],
      {
        input: `http://127.0.0.1:1455/auth/callback?code=${
          encodeURIComponent(FOREIGN)
        }&state=wrong\n`,
      },
    );
    // The issuer has given a code by then, which comes to nobody.
    await obtainCallback(await program.authUrl());
    await scene.assertClean(program, 6);
  },
);

verifies(
  "S64",
  `${SUBJECT}: a sign-in with a device code, done and refused, leaves no secret but the code to enter`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const { home, issuer } = scene;
    for (const [wrong, exitCode] of [[undefined, 0], [{ echoes: true }, 1]] as const) {
      if (wrong) Object.assign(issuer.misbehave, { token: wrong });
      const program = scene.start("other", "login", "--device-auth", "--issuer", issuer.url);
      const [userCode] = await program.shows(/^[0-9A-F]{4}-[0-9A-F]{6}$/m);
      issuer.enterCode(userCode);
      await scene.assertClean(program, exitCode, [userCode]);
      assertNoCanary({ "the files": await home.textOutsideAuth() }, [userCode]);
    }
  },
);

verifies(
  "S64",
  `${SUBJECT}: renewals and logouts, done and refused, leave no secret anywhere but on stdout when asked`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const { home, issuer } = scene;
    await storeLogin(home, issuer, -10);
    const token = scene.start("other", "token");
    const { stdout } = await token.ended;
    await scene.assertClean(token, 0, [stdout.trim()]);
    await scene.assertClean(scene.start("other", "refresh"), 0);
    await scene.assertClean(scene.start("other", "status", "--json"), 0);
    for (const [status, exitCode] of [[503, 5], [401, 4]] as const) {
      issuer.misbehave.refresh = { echoes: true, status };
      await scene.assertClean(scene.start("other", "refresh"), exitCode);
    }
    issuer.misbehave.revoke = { echoes: true, status: 500 };
    await scene.assertClean(scene.start("other", "logout"), 0);
    await storeLogin(home, issuer, 3_600);
    delete issuer.misbehave.revoke;
    await scene.assertClean(scene.start("other", "logout", "--json"), 0);
    await assert.rejects(home.readAuth(), "the store is empty again");
  },
);

verifies(
  ["S62", "S64"],
  `${SUBJECT}: a key and a personal access token on stdin are nowhere but in the store`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const { home, issuer } = scene;
    const key = "sk-canary-0123456789abcdefghij";
    const personal = "at-canary-0123456789abcdefghij";
    issuer.secrets.push(key, personal);
    issuer.personalAccessTokens.set(personal, ADA);
    const env = { CODEX_AUTHAPI_BASE_URL: issuer.url };
    const run = (input: string, ...args: string[]): Program =>
      startProgram(home, ["login", "--verbose", ...args], { input, env });
    await scene.assertClean(run(key, "--with-api-key"), 0);
    await scene.assertClean(run(personal, "--with-access-token"), 0);
    issuer.misbehave.whoami = {
      status: 401,
      headers: { "x-request-id": personal },
      body: `{"error":"${personal}"}`,
    };
    await scene.assertClean(run(personal, "--with-access-token"), 1);
    const status = startProgram(home, ["status", "--json"], { env });
    await scene.assertClean(status, 0);
  },
);

verifies(
  "S63",
  `${SUBJECT}: processes that find the log too large at once lose no line of each other's`,
  SLOW,
  async () => {
    await using scene = await prepare();
    const { home, issuer } = scene;
    await mkdir(join(home.path, "log"));
    const path = join(home.path, "log", "codex-login.log");
    await writeFile(path, "o".repeat((1 << 20) + 1), { mode: 0o600 });
    await storeLogin(home, issuer, 3_600);
    const runs = [1, 2, 3, 4].map(() => scene.start("other", "refresh"));
    for (const run of runs) await scene.assertClean(run, 0);
    const text = readFileSync(path, "utf8");
    assert.equal(readFileSync(`${path}.1`).length, (1 << 20) + 1);
    for (const run of runs) {
      for (const line of run.stderr().split("\n").filter((one) => /^\d{4}-\d\d-/.test(one))) {
        assert.ok(text.includes(line), line);
      }
    }
  },
);
