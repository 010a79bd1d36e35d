import assert from "node:assert/strict";
import { formatJson } from "../src/json.ts";
import { assertNoCanary } from "./testing/canaries.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import {
  assertCleanPlaces,
  assertFailedWhole,
  assertUntouched,
  complete,
  EARLIER,
  ESCAPES,
  placesOf,
  rowsFor,
  secretsOf,
  signIn,
  UNCLEAN,
} from "./testing/hostile_login.ts";
import { type Misbehaviour, startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { FaultyNetwork } from "./testing/network_faults.ts";
import { type Ended, runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { together } from "./testing/together.ts";
import { ADA, type User } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };

/** Each word of the issuer is such, and still tells something. */
const word = (name: string): string => `${name}${ESCAPES}`;

function refusal(status: number, body: unknown, type = "application/json"): Misbehaviour {
  return {
    status,
    headers: { "content-type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

const REFUSALS: { name: string; wrong: Misbehaviour; code: string; exitCode?: number }[] = [
  {
    name: "members of RFC 6749",
    wrong: refusal(400, {
      error: word("invalid"),
      error_description: word("told"),
      error_uri: word("https://evil.test"),
    }),
    code: "TOKEN_ENDPOINT",
  },
  {
    name: "members of the reference's issuer",
    wrong: refusal(401, { error: { code: word("code"), message: word("told") } }),
    code: "TOKEN_ENDPOINT",
  },
  { name: "plain words", wrong: refusal(503, word("told"), "text/plain"), code: "ISSUER_FAULT" },
  {
    name: "too many",
    wrong: refusal(429, { error: word("told"), code: word("x") }),
    code: "RATE_LIMITED",
  },
  {
    name: "20 kB of words",
    wrong: refusal(400, { error: "x", error_description: word("told").repeat(200) }),
    code: "TOKEN_ENDPOINT",
  },
];

verifies(
  "S65",
  `${SUBJECT}: whatever an issuer says when it refuses, terminal, page and log stay clean`,
  SLOW,
  async () => {
    await together(rowsFor(REFUSALS, 2), async ({ wrong, code, exitCode }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      issuer.misbehave.token = wrong;
      const ended = await signIn(home, issuer, ["--verbose"]);
      await assertFailedWhole(home, issuer, ended, code, exitCode);
      assert.match(ended.stderr, /cause: HTTP \d{3}, .*\[31mred/);
      assert.equal(issuer.asked("token").length, 1);
      for (const line of ended.stderr.split("\n").filter((one) => /^ +cause:/.test(one))) {
        assert.ok([...line].length < 340, line);
      }
    });
  },
);

verifies(
  "S65",
  `${SUBJECT}: bytes in an answer's head that no head may have reach nobody`,
  SLOW,
  async () => {
    await using network = new FaultyNetwork();
    await using home = await createHome();
    await home.writeAuth(EARLIER);
    const port = await network.listen((socket) =>
      socket.end(
        Buffer.from(
          "HTTP/1.1 400 \x1b]0;title\x07\r\nx-request-id: a\x9b2J\x1b[31mb\r\ncf-ray: \xe2\x80\xae\r\n" +
            "content-type: application/json\x1b[31m\r\nretry-after: \x1b[31m\r\nconnection: close\r\n\r\n{}",
          "latin1",
        ),
      )
    );
    await using program = startLogin(home, { url: `http://127.0.0.1:${port}` }, ["--verbose"]);
    const ended = await complete(program, (authUrl) => {
      const query = new URL(authUrl).searchParams;
      const callback = new URLSearchParams({ code: "a-code", state: query.get("state") ?? "" });
      return Promise.resolve(`${query.get("redirect_uri")}?${callback}`);
    });
    assert.ok([1, 5].includes(ended.exitCode ?? 0), ended.stderr);
    assert.match(ended.stderr, /error\[(TOKEN_ENDPOINT|NETWORK)\]/);
    assertCleanPlaces(await placesOf(home, ended));
    await assertUntouched(home);
  },
);

/** Somebody whose every name is hostile. */
const EVE: User = {
  sub: word("user-eve"),
  email: word("eve@example.com"),
  plan: word("plus"),
  accountId: word("acct-9"),
  workspaceName: word("Works"),
};

verifies(
  "S65",
  `${SUBJECT}: a person whose every name is hostile is shown cleaned, and told to programs escaped`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({ users: [EVE] });
    await using home = await createHome();
    const ended = await signIn(home, issuer, ["--verbose"]);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.match(ended.stderr, /^Signed in as eve@example\.com\[31mred/m);
    const again = await signIn(home, issuer, ["--json"]);
    assert.equal(again.exitCode, 0, again.stderr);
    const completed = again.stdout.trim().split("\n").map((line) => JSON.parse(line)).at(-1);
    assert.equal(completed.account.email, EVE.email);
    const runs = [
      await runProgram(home, ["status"]),
      await runProgram(home, ["status", "--json"]),
      await runProgram(home, ["profile", "list"]),
      await runProgram(home, ["refresh"]),
      await runProgram(home, ["login", "--expect-workspace", "a", "--timeout", "1ms"]),
      await runProgram(home, ["logout"]),
    ];
    assert.match(runs[0]?.stderr + String(runs[0]?.stdout), /eve@example\.com\[31mred/);
    for (const run of [ended, again, ...runs]) {
      assertCleanPlaces(await placesOf(home, run));
    }
    assertNoCanary(await placesOf(home, ended), secretsOf(issuer, ended, again));

    const refused = await signIn(home, issuer, ["--expect-workspace", "acct-1"]);
    await assertFailedWhole(home, issuer, refused, "WORKSPACE_MISMATCH");
  },
);

verifies(
  ["S20", "S65"],
  `${SUBJECT}: what tokens say of a person reaches terminal, page and log clean`,
  SLOW,
  async () => {
    const user = {
      ...ADA,
      email: `ada${ESCAPES}@example.com`,
      plan: `plus${ESCAPES}`,
      workspaceName: `Org${ESCAPES}<script>alert(1)</script>`,
    };
    await using issuer = await startIssuer({ users: [user] });
    await using home = await createHome();
    await using program = startLogin(home, issuer, ["--verbose"]);
    const steps = await visit(await program.authUrl());
    const page = steps.at(-1)?.reply.body ?? "";
    const ended = await program.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    const status = await runProgram(home, ["status"]);
    const json = await runProgram(home, ["status", "--json"]);
    assert.deepEqual([status.exitCode, json.exitCode], [0, 0]);
    const told = {
      page,
      said: ended.stderr,
      status: status.stderr + status.stdout,
      json: json.stdout,
    };
    for (const [place, text] of Object.entries({ ...told, log: await home.textOutsideAuth() })) {
      assert.doesNotMatch(text, UNCLEAN, place);
    }
    assert.match(status.stderr + status.stdout, /ada/);
    assert.ok(!page.includes("<script>alert"));
  },
);

verifies(
  "S65",
  `${SUBJECT}: a callback that is hostile in every parameter leaves page, terminal and log clean`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    for (
      const [members, code] of [
        [{ error: word("x"), error_description: word("told") }, "AUTHORIZATION_FAILED"],
        [{ error: "access_denied", error_description: word("told") }, "ACCESS_DENIED"],
        [{ iss: word("https://evil.test"), code: "c" }, "ISSUER_MISMATCH"],
      ] as const
    ) {
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      await using program = startLogin(home, issuer, ["--verbose"]);
      const ended = await complete(program, async (authUrl) => {
        const callback = new URL(await obtainCallback(authUrl));
        const state = callback.searchParams.get("state") ?? "";
        callback.search = String(new URLSearchParams({ ...members, state }));
        return callback.href;
      });
      await assertFailedWhole(home, issuer, ended, code);
    }
  },
);

const escape = (text: string): string =>
  [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

/** Ways of writing what was sent. */
const WRITINGS: { name: string; write: (sent: string) => string }[] = [
  { name: "as it is", write: (sent) => sent },
  { name: "percent-encoded", write: encodeURIComponent },
  { name: "every byte percent-encoded", write: percent },
  { name: "percent-encoded in small letters", write: (sent) => percent(sent).toLowerCase() },
  { name: "percent-encoded twice", write: (sent) => encodeURIComponent(encodeURIComponent(sent)) },
  { name: "base64", write: (sent) => Buffer.from(sent).toString("base64") },
  { name: "base64 of more", write: (sent) => Buffer.from(`Basic ${sent}:`).toString("base64") },
  { name: "base64url", write: (sent) => Buffer.from(`x${sent}`).toString("base64url") },
  { name: "hex", write: (sent) => Buffer.from(sent).toString("hex").toUpperCase() },
  { name: "JSON escapes", write: escape },
  { name: "JSON in JSON", write: (sent) => JSON.stringify(JSON.stringify(sent)) },
  { name: "capitals", write: (sent) => sent.toUpperCase() },
  { name: "small letters", write: (sent) => sent.toLowerCase() },
  {
    name: "a page's references",
    write: (sent) => sent.replace(/./gs, (one) => `&#${one.charCodeAt(0)};`),
  },
  { name: "half of it", write: (sent) => `${sent.slice(0, Math.max(16, sent.length / 2))}…` },
  { name: "marks within", write: (sent) => sent.replace(/./gs, "$&\u200b") },
];

/** Neither as written nor with every escape undone. */
function assertNothingEchoed(
  places: Readonly<Record<string, string>>,
  secrets: readonly string[],
  write: (sent: string) => string,
): void {
  assertNoCanary(places, secrets);
  for (const [place, text] of Object.entries(places)) {
    const low = text.toLowerCase();
    for (const secret of secrets) {
      for (const form of [secret, write(secret), formatJson(write(secret))]) {
        const wanted = form.replace(UNCLEAN, "").toLowerCase();
        assert.ok(!low.includes(wanted), `${secret.slice(0, 6)}… is in ${place}:\n${text}`);
      }
    }
  }
}

verifies(
  ["S36", "S64"],
  `${SUBJECT}: an issuer that repeats what it was sent, however it writes it, has it shown nowhere`,
  SLOW,
  async () => {
    await together(rowsFor(WRITINGS, 5), async ({ write }) => {
      await using issuer = await startIssuer({ secretSuffix: '"+/\\%&' });
      await using home = await createHome();
      for (const status of [400, 503]) {
        issuer.misbehave.token = { echoes: write, status };
        const ended = await signIn(home, issuer, ["--verbose"]);
        const code = status === 400 ? "TOKEN_ENDPOINT" : "ISSUER_FAULT";
        await assertFailedWhole(home, issuer, ended, code);
        assertNothingEchoed(await placesOf(home, ended), secretsOf(issuer, ended), write);
      }
      await storeLogin(home, issuer, -10, ADA);
      issuer.misbehave.refresh = { echoes: write };
      issuer.misbehave.revoke = { echoes: write, status: 500 };
      for (const args of [["refresh"], ["token"], ["logout"]]) {
        const ended = await runProgram(home, [...args, "--verbose"]);
        assert.match(ended.stderr, /HTTP (400|500)/);
        assertNothingEchoed(await placesOf(home, ended), secretsOf(issuer), write);
      }
    });
  },
);

async function refusedDevice(home: TestHome, issuer: TestIssuer): Promise<Ended> {
  await home.writeAuth(EARLIER);
  await using program = startProgram(home, [
    "login",
    "--device-auth",
    "--verbose",
    "--issuer",
    issuer.url,
  ]);
  return await program.ended;
}

verifies(
  ["S36", "S65"],
  `${SUBJECT}: an issuer that repeats what a sign-in with a code sent has it shown nowhere`,
  SLOW,
  async () => {
    await together(rowsFor(WRITINGS, 7), async ({ write }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      issuer.misbehave.devicePoll = { echoes: write, status: 401 };
      const ended = await refusedDevice(home, issuer);
      assert.equal(ended.exitCode, 1, ended.stderr);
      assert.match(ended.stderr, /error\[AUTHORIZATION_FAILED\]/);
      const places = await placesOf(home, ended);
      assertNothingEchoed(places, issuer.secrets, write);
      assertCleanPlaces(places);
      await assertUntouched(home);
    });
  },
);
