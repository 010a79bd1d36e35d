import assert from "node:assert/strict";
import { test } from "node:test";
import { LoginError } from "../src/errors.ts";
import { beginStory, describeFailure, tellStep } from "../src/story.ts";
import { type Fetch, type Log, SILENT_LOG } from "../src/world.ts";
import { recordLog } from "./testing/recorded_log.ts";

interface Scene {
  readonly world: {
    readonly log: Log;
    readonly fetch: Fetch;
    elapsed(): number;
    randomBytes(length: number): Uint8Array;
  };
  readonly recorded: ReturnType<typeof recordLog>;
}

/** Each look at the clock is 5 ms after the one before. */
function prepare(fetch: Fetch = () => Promise.resolve(new Response())): Scene {
  let time = 0;
  const recorded = recordLog();
  const randomBytes = (length: number): Uint8Array =>
    crypto.getRandomValues(new Uint8Array(length));
  return { world: { log: recorded, fetch, elapsed: () => time += 5, randomBytes }, recorded };
}

test("beginStory() gives each attempt an id of its own, on all its lines, and once", () => {
  const { world, recorded } = prepare();
  const [one, other] = [beginStory(world), beginStory(world)];
  assert.match(one.log.attempt ?? "", /^[a-z2-7]{8}$/);
  assert.notEqual(one.log.attempt, other.log.attempt);
  assert.equal(beginStory(one), one, "what is done within an attempt belongs to it");
  one.log.write("info", "t", "a", { port: 1 });
  other.log.write("info", "t", "b");
  one.log.write("info", "t", "c");
  one.log.hide("secret");
  assert.deepEqual(recorded.lines.map(({ message, fields }) => [message, fields.attempt]), [
    ["a", one.log.attempt],
    ["b", other.log.attempt],
    ["c", one.log.attempt],
  ]);
  assert.equal(recorded.lines[0]?.fields.port, 1);
  assert.deepEqual(recorded.hidden, ["secret"]);
  const silent = { ...world, log: SILENT_LOG };
  assert.equal(beginStory(silent), silent, "no id leads to a log that is not there");
});

test("tellStep() tells how long a step took, and why it failed", async () => {
  const { world, recorded } = prepare();
  assert.equal(await tellStep(world, "store check", () => 7), 7);
  const error = new LoginError("SAVE_FAILED", "It cannot be written", { reason: "no space" });
  await assert.rejects(tellStep(world, "save", () => Promise.reject(error)), error);
  assert.deepEqual(recorded.lines, [
    { message: "store check done", fields: { duration_ms: 5 } },
    {
      message: "save failed",
      fields: { code: "SAVE_FAILED", cause: "no space", duration_ms: 5 },
    },
  ]);
});

test("describeFailure() tells causes in our own words, and none of the issuer's", () => {
  const reason = "because";
  const cause = (code: ConstructorParameters<typeof LoginError>[0], status?: number): unknown =>
    describeFailure(
      new LoginError(code, "m", { reason, ...(status === undefined ? {} : { status }) }),
    ).cause;
  for (const code of ["DNS", "TLS", "LOCK_BUSY", "ID_TOKEN_INVALID", "PORT_BUSY"] as const) {
    assert.equal(cause(code), reason, code);
  }
  for (const code of ["ACCESS_DENIED", "AUTHORIZATION_FAILED", "TOKEN_ENDPOINT"] as const) {
    assert.equal(cause(code), undefined, code);
  }
  assert.equal(cause("REFRESH_FAILED", 503), undefined);
  assert.deepEqual(describeFailure(new LoginError("TOKEN_ENDPOINT", "m", { status: 400 })), {
    code: "TOKEN_ENDPOINT",
    status: 400,
  });
});

test("a request is told with its endpoint, status, error code and the issuer's id for it", async () => {
  const answers = [
    new Response("{}", { headers: { "x-request-id": "req_0a1-B.2", "cf-ray": "later" } }),
    Response.json({ error: "invalid_grant", error_description: "a sentence" }, { status: 400 }),
    Response.json({ error: { code: "A sentence, or s3cret" } }, {
      status: 401,
      headers: { "x-request-id": "has spaces in it", "cf-ray": "8f1-FRA" },
    }),
    new Response("<html>", { status: 503 }),
  ];
  const { world, recorded } = prepare(() => Promise.resolve(answers.shift() ?? new Response()));
  const { fetch } = beginStory(world);
  for (let i = 0; i < 3; i++) {
    const response = await fetch("https://u:p@issuer.test/oauth/token?secret=1#x", {});
    assert.equal(response.bodyUsed, false, "it is still to be read");
    await response.text();
  }
  await fetch("https://issuer.test/", {});
  const endpoint = "https://issuer.test/oauth/token";
  assert.deepEqual(
    recorded.lines.map(({ fields: { attempt: _, ...fields } }) => fields),
    [
      { endpoint, status: 200, request_id: "req_0a1-B.2", duration_ms: 5 },
      { endpoint, status: 400, error_code: "invalid_grant", duration_ms: 5 },
      { endpoint, status: 401, error_code: "other", request_id: "8f1-FRA", duration_ms: 5 },
      { endpoint: "https://issuer.test/", status: 503, duration_ms: 5 },
    ],
  );
});

test("the same refusal again and again, as in polling, is told once, and every failure to ask", async () => {
  const pending = (): Response =>
    Response.json({ error: "authorization_pending" }, { status: 400 });
  const slow = (): Response => Response.json({ error: "slow_down" }, { status: 400 });
  const failure = new LoginError("DNS", "The issuer could not be asked", { reason: "no name" });
  const script = [pending, pending, pending, slow, pending, failure, failure, () => new Response()];
  const { world, recorded } = prepare(() => {
    const next = script.shift();
    return typeof next === "function" ? Promise.resolve(next()) : Promise.reject(next);
  });
  const { fetch } = beginStory(world);
  while (script.length > 0) await fetch("https://issuer.test/poll", {}).catch(() => {});
  assert.deepEqual(
    recorded.lines.map(({ message, fields }) => [
      message,
      fields.error_code ?? fields.code ?? fields.status,
      fields.cause,
    ]),
    [
      ["request answered", "authorization_pending", undefined],
      ["request answered", "slow_down", undefined],
      ["request answered", "authorization_pending", undefined],
      ["request failed", "DNS", "no name"],
      ["request failed", "DNS", "no name"],
      ["request answered", 200, undefined],
    ],
  );
  recorded.lines.length = 0;
  script.push(failure);
  const signal = AbortSignal.abort(failure);
  await assert.rejects(fetch("https://issuer.test/poll", { signal }), failure);
  assert.deepEqual(recorded.lines, [], "a request that was given up tells nothing");
});
