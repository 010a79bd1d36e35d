import assert from "node:assert/strict";
import { assertNoCanary } from "./testing/canaries.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import {
  assertCleanPlaces,
  assertUntouched,
  EARLIER,
  ESCAPES,
  placesOf,
  rowsFor,
} from "./testing/hostile_login.ts";
import { type Misbehaviour, startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { answer, FaultyNetwork } from "./testing/network_faults.ts";
import { type Ended, type Program, startProgram, SUBJECT } from "./testing/program.ts";
import { CA_PATH } from "./testing/tls.ts";
import { together } from "./testing/together.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };

function startDevice(
  home: TestHome,
  issuer: { readonly url: string },
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Program {
  return startProgram(home, ["login", "--device-auth", "--issuer", issuer.url, ...args], { env });
}

const change = (members: Record<string, unknown>): Misbehaviour => ({
  change: (same) => ({ ...same, ...members }),
});

async function assertDeviceFailed(
  home: TestHome,
  issuer: TestIssuer | undefined,
  ended: Ended,
  code: string,
  exitCode: number,
): Promise<void> {
  assert.match(ended.stderr, new RegExp(`^error\\[${code}\\]: `, "m"), ended.stderr);
  assert.equal(ended.exitCode, exitCode, ended.stderr);
  await assertUntouched(home);
  const places = await placesOf(home, ended);
  assertCleanPlaces(places);
  // The code that a person has to see is among them.
  assertNoCanary(places, (issuer?.secrets ?? []).filter((one) => one.length > 20));
}

const BAD_CODES: { name: string; members: Record<string, unknown> }[] = [
  { name: "escapes", members: { user_code: `ABCD${ESCAPES}-1234` } },
  { name: "a colour", members: { user_code: "\x1b[31mABCD-1234" } },
  { name: "the clipboard", members: { user_code: "ABCD\x1b]52;c;aGk=\x07" } },
  { name: "words", members: { user_code: "ABCD call 555 0100" } },
  { name: "an address", members: { user_code: "evil.test/ABCD" } },
  { name: "letters of another script", members: { user_code: "\u0410BCD-1234" } },
  { name: "too short", members: { user_code: "ABC" } },
  { name: "too long", members: { user_code: "ABCDEFGHIJKLMNOPQ" } },
  { name: "empty", members: { user_code: "" } },
  { name: "a list", members: { user_code: ["ABCD-1234"] } },
  { name: "none", members: { user_code: undefined } },
  { name: "no id", members: { device_auth_id: "" } },
  { name: "an id in a list", members: { device_auth_id: ["x"] } },
];

verifies(
  ["S40", "S65"],
  `${SUBJECT}: a code that is not plain is refused, before anybody is asked to enter it`,
  SLOW,
  async () => {
    await together(rowsFor(BAD_CODES), async ({ members }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      issuer.misbehave.deviceCode = change(members);
      const ended = await startDevice(home, issuer, ["--verbose"]).ended;
      await assertDeviceFailed(home, issuer, ended, "TOKEN_RESPONSE_INVALID", 1);
      assert.equal(issuer.asked("devicePoll").length, 0);
      assert.ok(!ended.stderr.includes("/codex/device"), ended.stderr);
    });
  },
);

verifies(
  ["S40", "S65"],
  `${SUBJECT}: of a code what cannot be seen is not shown, and the danger is named beside it`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    issuer.misbehave.deviceCode = change({
      user_code: "\u202eAB\u200bCD-12\x0734\ufeff",
      // In the reference's protocol the address is not the answer's to choose.
      verification_uri: "https://evil.test/enter",
      verification_url: "https://evil.test/enter",
    });
    await using program = startDevice(home, issuer, ["--timeout", "3s"]);
    await program.shows(/^ABCD-1234$/m);
    const ended = await program.ended;
    assert.equal(ended.exitCode, 6, ended.stderr);
    assert.match(ended.stderr, /^Never enter a code that somebody else sent you/m);
    assert.match(ended.stderr, new RegExp(`^${issuer.url}/codex/device$`, "m"));
    assert.ok(!ended.stderr.includes("evil.test"), ended.stderr);
    assertCleanPlaces(await placesOf(home, ended));
  },
);

interface Standard {
  readonly network: FaultyNetwork;
  readonly url: string;
  readonly env: Record<string, string>;
  readonly asked: string[];
}

/** An https issuer that speaks RFC 8628 only, and says these things of itself and of a code. */
async function startStandard(
  network: FaultyNetwork,
  metadata: Record<string, unknown>,
  device: Record<string, unknown>,
): Promise<Standard> {
  const asked: string[] = [];
  const port = await network.listenTls("localhost", (socket, request) => {
    const path = /^\w+ (\S+)/.exec(request)?.[1] ?? "";
    asked.push(path);
    const url = `https://localhost:${port}`;
    const json = (status: string, body: unknown): void =>
      answer(status, JSON.stringify(body))(socket, request);
    if (path === "/.well-known/openid-configuration") {
      const endpoints = {
        device_authorization_endpoint: `${url}/device`,
        token_endpoint: `${url}/oauth/token`,
      };
      return json("200 OK", { issuer: url, ...endpoints, ...metadata });
    }
    if (path === "/device") {
      const code = { device_code: "device-canary-0123456789", user_code: "ABCD-1234" };
      return json("200 OK", { ...code, verification_uri: `${url}/enter`, ...device });
    }
    if (path === "/oauth/token") return json("400 No", { error: "authorization_pending" });
    return json("404 No", { error: "not_found" });
  });
  const env = { NODE_EXTRA_CA_CERTS: CA_PATH };
  return { network, url: `https://localhost:${port}`, env, asked };
}

const BAD_ADDRESSES: {
  name: string;
  metadata?: Record<string, unknown>;
  device?: Record<string, unknown>;
  code?: string;
}[] = [
  ...[
    "http://evil.test/enter",
    "http://127.0.0.1:1/enter",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://me:pw@evil.test/",
    "https://evil.test/\x1b]0;title\x07",
    "https://evil.test/\u202egnp",
    "https://evil.test/#x",
    `https://evil.test/${"x".repeat(3_000)}`,
    "//evil.test",
    "",
  ].map((verification_uri) => ({
    name: `to enter it at ${JSON.stringify(verification_uri).slice(0, 40)}`,
    device: { verification_uri },
  })),
  { name: "a token endpoint over http", metadata: { token_endpoint: "http://evil.test/" } },
  {
    name: "an endpoint with a name and a password",
    metadata: { device_authorization_endpoint: "https://me:pw@evil.test/" },
  },
  {
    name: "metadata of another",
    metadata: { issuer: `https://evil.test/${ESCAPES}` },
    code: "ISSUER_MISMATCH",
  },
];

verifies(
  ["S10", "S40"],
  `${SUBJECT}: an address that is no https address of somebody is refused`,
  SLOW,
  async () => {
    await together(
      rowsFor(BAD_ADDRESSES),
      async ({ metadata = {}, device = {}, code = "TOKEN_RESPONSE_INVALID" }) => {
        await using network = new FaultyNetwork();
        await using home = await createHome();
        await home.writeAuth(EARLIER);
        const issuer = await startStandard(network, metadata, device);
        const ended = await startDevice(home, issuer, ["--verbose"], issuer.env).ended;
        await assertDeviceFailed(home, undefined, ended, code, 1);
        assert.ok(!ended.stderr.includes("device-canary"), ended.stderr);
        assert.ok(!issuer.asked.includes("/oauth/token"));
      },
    );
  },
);

verifies(
  "S40",
  `${SUBJECT}: an address at another origin than the issuer's is named in a warning`,
  SLOW,
  async () => {
    await using network = new FaultyNetwork();
    await using home = await createHome();
    const issuer = await startStandard(network, {}, { verification_uri: "https://evil.test/x" });
    const program = startDevice(home, issuer, ["--timeout", "2s"], issuer.env);
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 6, stderr);
    assert.match(
      stderr,
      new RegExp(`^Warning: .*not at the issuer ${issuer.url} but at https://evil\\.test`, "m"),
    );
    assert.ok(stderr.indexOf("Warning: ") < stderr.indexOf("\nhttps://evil.test/x\n"), stderr);
  },
);

/** How often it was asked within the time that the program was given. */
async function pollsWithin(
  timeout: string,
  members: Record<string, unknown>,
  poll?: Misbehaviour,
): Promise<number> {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await home.writeAuth(EARLIER);
  issuer.misbehave.deviceCode = change(members);
  if (poll) issuer.misbehave.devicePoll = poll;
  const ended = await startDevice(home, issuer, ["--timeout", timeout]).ended;
  const code = "LOGIN_TIMEOUT";
  await assertDeviceFailed(home, issuer, ended, code, 6);
  return issuer.asked("devicePoll").length;
}

verifies(
  "S41",
  `${SUBJECT}: an interval of nothing is a second, one of a thousand years a minute, slow_down adds five`,
  SLOW,
  async () => {
    const slowDown = { status: 400, body: '{"error":"slow_down"}' };
    const rows = [
      ...[0, -5, "0", 1e-9].map((interval) => ({ interval, most: 4, name: `${interval}` })),
      // A timer of more than 24.8 days would fire at once.
      ...[1e11, 1e308, "99999999999", 3e9].map((interval) => ({
        interval,
        most: 1,
        name: `${interval}`,
      })),
      { interval: 1, most: 1, poll: slowDown, name: "slow down" },
    ];
    await together(rowsFor(rows), async ({ interval, most, ...rest }) => {
      const poll = "poll" in rest ? rest.poll : undefined;
      // A busy machine makes it fewer, never more; when each came is not the program's to say.
      let count = await pollsWithin("4s", { interval }, poll);
      // One that was held up for all of that time has another try.
      if (count === 0) count = await pollsWithin("4s", { interval }, poll);
      assert.ok(count >= 1 && count <= most, `${count} times`);
    }, 9);
  },
);

verifies(
  "S41",
  `${SUBJECT}: no code is waited for longer than 15 minutes, whatever the issuer says`,
  SLOW,
  async () => {
    const rows = [
      { expires_in: 1e11 },
      { expires_in: "99999999999" },
      { expires_at: "9999-12-31T23:59:59Z" },
      { expires_in: -5 },
      {},
    ].map((members) => ({ name: JSON.stringify(members), members }));
    await together(rowsFor(rows), async ({ members }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      issuer.misbehave.deviceCode = change({ expires_in: undefined, ...members });
      await using program = startDevice(home, issuer, ["--json"]);
      const [line] = await program.shows(/^\{"event":"device_code".*$/m);
      const leftMs = Date.parse(JSON.parse(line).expiresAt) - Date.now();
      assert.ok(leftMs > 0 && leftMs <= 900_000, `${leftMs} ms`);
    });
  },
);

verifies(
  "S42",
  `${SUBJECT}: a grant whose verifier does not fit its challenge is not redeemed`,
  SLOW,
  async () => {
    const rows = [
      { code_challenge: "another" },
      { code_verifier: "another" },
      { code_challenge: "" },
      { code_verifier: ["x"] },
      { code_challenge: undefined },
      { authorization_code: "a\nb" },
    ].map((members) => ({ name: JSON.stringify(members), members }));
    await together(rowsFor(rows), async ({ members }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      issuer.misbehave.devicePoll = change(members);
      await using program = startDevice(home, issuer);
      issuer.enterCode((await program.shows(/^[0-9A-F]{4}-[0-9A-F]{6}$/m))[0]);
      const ended = await program.ended;
      await assertDeviceFailed(home, issuer, ended, "TOKEN_RESPONSE_INVALID", 1);
      assert.equal(issuer.asked("token").length, 0);
    });
  },
);

verifies(
  "S35",
  `${SUBJECT}: questions survive a cut, a fault and a limit, ever more seldom, and the code is sent once`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const troubles: (Misbehaviour | undefined)[] = [
      { reset: true },
      { status: 502, headers: { "content-type": "text/html" }, body: "<html>" },
      { status: 429, body: "{}" },
    ];
    Object.defineProperty(issuer.misbehave, "devicePoll", { get: () => troubles.shift() });
    await using program = startDevice(home, issuer);
    issuer.enterCode((await program.shows(/^[0-9A-F]{4}-[0-9A-F]{6}$/m))[0]);
    const ended = await program.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.match(ended.stderr, /could not be asked \(CONNECTION_RESET\); trying again/);
    const times = issuer.asked("devicePoll").map(({ at }) => at);
    assert.equal(times.length, 4);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    // Two, four, and one and five seconds.
    for (const [i, leastMs] of [1_500, 3_000, 5_000].entries()) {
      assert.ok((gaps[i] ?? 0) > leastMs, `${gaps}`);
    }
    assert.equal(issuer.asked("token").length, 1);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
  },
);
