import assert from "node:assert/strict";
import { test } from "node:test";
import { startDeviceFlow } from "../src/device_flow.ts";
import { LoginError } from "../src/errors.ts";
import { parseIssuer } from "../src/oauth/issuer.ts";
import { assertDeviceFailed, assertNothingLeaked, startDeviceLogin } from "./testing/device_run.ts";
import { createHome } from "./testing/home.ts";
import {
  type Reply,
  type ScriptedIssuer,
  scriptIssuer,
  TOKEN,
  tokensFor,
  USER_CODE,
  USERCODE,
} from "./testing/scripted_issuer.ts";
import { ADA } from "./testing/users.ts";
import { createClock, type VirtualClock } from "./testing/virtual_clock.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

const URL_ = "https://issuer.test/realm";
const OPENID = "/.well-known/openid-configuration";
const OAUTH = "https://issuer.test/.well-known/oauth-authorization-server/realm";
const DEVICE = "/device/authorize";
const DEVICE_CODE = "device-code_0123456789abcdefghijklmnopqrstuvwxyz";
const PENDING: Reply = { status: 400, body: { error: "authorization_pending" } };

const METADATA = {
  issuer: URL_,
  device_authorization_endpoint: `${URL_}${DEVICE}`,
  token_endpoint: `${URL_}${TOKEN}`,
};
const ANSWER = {
  device_code: DEVICE_CODE,
  user_code: USER_CODE,
  verification_uri: `${URL_}/device`,
  expires_in: 600,
};

/** An issuer that speaks RFC 8628 properly, but for these replies. */
function standardIssuer(
  clock: VirtualClock,
  changes: Record<string, Reply | readonly Reply[]> = {},
): ScriptedIssuer {
  const tokens = tokensFor(URL_, ADA, clock.now());
  const issuer = scriptIssuer(clock, {
    [OPENID]: { body: METADATA },
    [DEVICE]: { body: ANSWER },
    [TOKEN]: [PENDING, { body: tokens }],
    ...changes,
  }, {
    url: URL_,
    secrets: [DEVICE_CODE, ...Object.values(tokens).filter((one) => one.length > 8)],
  });
  return issuer;
}

test("at another issuer a sign-in goes by RFC 8628 when the reference's protocol is not spoken", async () => {
  await using home = await createHome();
  const clock = createClock();
  const issuer = standardIssuer(clock, {
    [TOKEN]: [
      PENDING,
      { status: 400, body: { error: "slow_down" } },
      new LoginError("RESPONSE_TIMEOUT", "No"),
      { status: 503 },
      PENDING,
      { body: tokensFor(URL_, ADA, clock.now()) },
    ],
  });
  const run = await startDeviceLogin(home, issuer, clock);
  assert.equal(await run.exitCode, 0, run.words());
  assert.deepEqual(issuer.calls.slice(0, 4).map(({ path, init }) => [init.method, path]), [
    ["POST", USERCODE],
    ["GET", OPENID],
    ["POST", DEVICE],
    ["POST", TOKEN],
  ]);
  assert.equal(issuer.calls.length, 9);
  assert.deepEqual(clock.sleeps.slice(0, 5), [5_000, 10_000, 20_000, 40_000, 10_000]);
  const [, , asked, polled] = issuer.calls.map(({ init }) => init);
  const form = { "content-type": "application/x-www-form-urlencoded", accept: "*/*" };
  assert.deepEqual([asked?.headers, polled?.headers], [form, form]);
  assert.deepEqual([asked?.redirect, polled?.redirect], ["manual", "manual"]);
  assert.equal(
    asked?.body,
    "client_id=app_EMoamEEZ73f0CkXaXp7hrann&scope=openid+profile+email+offline_access",
  );
  assert.equal(
    polled?.body,
    `grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=${DEVICE_CODE}` +
      "&client_id=app_EMoamEEZ73f0CkXaXp7hrann",
  );
  assert.deepEqual(run.world.words.slice(0, 5), [
    "To sign in, open this address in a browser on any device:",
    `${URL_}/device`,
    "Enter this code there, within 10 min:",
    USER_CODE,
    "Never enter a code that somebody else sent you: go on only if you started this sign-in yourself (Ctrl-C cancels).",
  ]);
  const file = await home.authJson();
  assert.equal(file["OPENAI_API_KEY"], null);
  await assertNothingLeaked(run, home, issuer);
});

test("the metadata is looked for in both places, and what is no such metadata is passed over", async () => {
  const nothing: Reply[] = [
    { status: 404 },
    { status: 302, headers: { location: "https://evil.test" } },
    { body: "<html>", headers: { "content-type": "text/html" } },
    { body: [] },
    { body: { issuer: URL_, token_endpoint: `${URL_}/t` } },
    { body: { ...METADATA, token_endpoint: 5 } },
  ];
  for (const reply of nothing) {
    await using home = await createHome();
    const clock = createClock();
    const scopes = { scopes_supported: ["openid", "api.connectors.read"] };
    const issuer = standardIssuer(clock, {
      [OPENID]: reply,
      [OAUTH]: { body: { ...METADATA, ...scopes } },
    });
    const run = await startDeviceLogin(home, issuer, clock);
    assert.equal(await run.exitCode, 0, run.words());
    assert.equal(issuer.to(OAUTH).length, 1);
    const asked = new URLSearchParams(issuer.to(DEVICE)[0]?.init.body);
    assert.equal(asked.get("scope"), "openid profile email offline_access api.connectors.read");

    await using empty = await createHome();
    const clock2 = createClock();
    const none = standardIssuer(clock2, { [OPENID]: reply });
    const failing = await startDeviceLogin(empty, none, clock2);
    await assertDeviceFailed(failing, empty, none, ["DEVICE_CODE_UNAVAILABLE", 1]);
    assert.match(failing.words(), /This issuer does not offer sign-in with a device code/);
  }
});

const FAILURES: [
  name: string,
  changes: Record<string, Reply>,
  code: string,
  exitCode: number,
  words: RegExp,
][] = [
  [
    "metadata of another issuer",
    { [OPENID]: { body: { ...METADATA, issuer: "https://evil.test" } } },
    "ISSUER_MISMATCH",
    1,
    /expected https:\/\/issuer\.test\/realm, got https:\/\/evil\.test/,
  ],
  ["no answer", { [OPENID]: { status: 500 } }, "ISSUER_FAULT", 1, /HTTP 500/],
  ["out of reach", { [OPENID]: new LoginError("DNS", "No") }, "DNS", 5, /check the connection/],
  ...[
    "http://issuer.test/d",
    "http://127.0.0.1:1/d",
    "javascript:alert(1)",
    "/device",
    "https://a@b/",
  ]
    .flatMap((address): [string, Record<string, Reply>, string, number, RegExp][] =>
      (["device_authorization_endpoint", "token_endpoint", "verification_uri"] as const).map((
        member,
      ) => [
        `${member} ${address}`,
        member === "verification_uri"
          ? { [DEVICE]: { body: { ...ANSWER, [member]: address } } }
          : { [OPENID]: { body: { ...METADATA, [member]: address } } },
        "TOKEN_RESPONSE_INVALID",
        1,
        new RegExp(`"${member}" is not an https address`),
      ])
    ),
  [
    "an address with control characters",
    { [DEVICE]: { body: { ...ANSWER, verification_uri: `${URL_}/\x1b[31m` } } },
    "TOKEN_RESPONSE_INVALID",
    1,
    /verification_uri/,
  ],
  [
    "a hostile code",
    { [DEVICE]: { body: { ...ANSWER, user_code: "\x1b]52;c;aGk=\x07" } } },
    "TOKEN_RESPONSE_INVALID",
    1,
    /user code/,
  ],
  [
    "no device code",
    { [DEVICE]: { body: { ...ANSWER, device_code: undefined } } },
    "TOKEN_RESPONSE_INVALID",
    1,
    /device_code/,
  ],
  [
    "client refused",
    { [DEVICE]: { status: 400, body: { error: "unauthorized_client" } } },
    "AUTHORIZATION_FAILED",
    1,
    /unauthorized_client/,
  ],
  [
    "denied",
    { [TOKEN]: { status: 400, body: { error: "access_denied" } } },
    "ACCESS_DENIED",
    1,
    /./,
  ],
  [
    "expired",
    { [TOKEN]: { status: 400, body: { error: "expired_token" } } },
    "LOGIN_TIMEOUT",
    6,
    /./,
  ],
  ["never done", { [TOKEN]: PENDING }, "LOGIN_TIMEOUT", 6, /The code expired/],
  [
    "refused with an echo",
    { [TOKEN]: { status: 400, body: { error: "invalid_grant", error_description: DEVICE_CODE } } },
    "AUTHORIZATION_FAILED",
    1,
    /invalid_grant: \[redacted\]/,
  ],
  // It means nothing here: only the reference's issuer answers so while it waits.
  ["no such endpoint", { [TOKEN]: { status: 404 } }, "AUTHORIZATION_FAILED", 1, /HTTP 404/],
  ["no tokens", { [TOKEN]: { body: {} } }, "TOKEN_RESPONSE_INVALID", 1, /./],
  [
    "tokens of another issuer",
    { [TOKEN]: { body: tokensFor("https://evil.test", ADA, Date.now()) } },
    "ID_TOKEN_INVALID",
    1,
    /iss/,
  ],
];

test("at another issuer every failure of RFC 8628 is told, and nothing is saved", async (t) => {
  for (const [name, changes, code, exitCode, words] of FAILURES) {
    await t.test(name, async () => {
      await using home = await createHome();
      const clock = createClock();
      const issuer = standardIssuer(clock, changes);
      const run = await startDeviceLogin(home, issuer, clock);
      await assertDeviceFailed(run, home, issuer, [code, exitCode]);
      assert.match(run.words(), words);
    });
  }
});

verifies(
  "S40",
  "an address on another origin is named in a warning, and needs an issuer that the person named",
  async () => {
    const elsewhere = "https://login.other.test";
    const rows: [changes: Record<string, Reply>, what: string][] = [
      [
        { [DEVICE]: { body: { ...ANSWER, verification_uri: `${elsewhere}/d` } } },
        "the address to open",
      ],
      [{
        [OPENID]: { body: { ...METADATA, device_authorization_endpoint: `${elsewhere}/d` } },
        [`${elsewhere}/d`]: { body: ANSWER },
      }, "the endpoint that gives the code"],
      [{
        [OPENID]: { body: { ...METADATA, token_endpoint: `${elsewhere}/t` } },
        [`${elsewhere}/t`]: { body: tokensFor(URL_, ADA, Date.now()) },
      }, "the endpoint that gives the tokens"],
    ];
    for (const [changes, what] of rows) {
      await using home = await createHome();
      const clock = createClock();
      const run = await startDeviceLogin(home, standardIssuer(clock, changes), clock);
      assert.equal(await run.exitCode, 0, run.words());
      const warning = `Warning: ${what} is not at the issuer ${URL_} but at ${elsewhere}.`;
      assert.ok(run.world.words.includes(warning), run.words());

      const world = await createWorld({ fetch: standardIssuer(createClock(), changes).fetch });
      const client = { issuer: parseIssuer(URL_), clientId: "c" };
      const notes: string[] = [];
      await assert.rejects(
        startDeviceFlow(world, { ...client, isIssuerNamed: false }, (one) => void notes.push(one)),
        { code: "ISSUER_MISMATCH", reason: `${what} is at ${elsewhere}` },
      );
      assert.deepEqual(notes, []);
    }
  },
);

test("a token endpoint that a renewal would not find is told", async () => {
  await using home = await createHome();
  const clock = createClock();
  const issuer = standardIssuer(clock, {
    [OPENID]: { body: { ...METADATA, token_endpoint: `${URL_}/token` } },
    "/token": { body: tokensFor(URL_, ADA, Date.now()) },
  });
  const run = await startDeviceLogin(home, issuer, clock);
  assert.equal(await run.exitCode, 0, run.words());
  assert.match(
    run.words(),
    /renews tokens at an address of its own: when the login expires, sign in/,
  );
});
