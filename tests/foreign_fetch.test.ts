import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createForeignFetch, type ForeignFetch } from "../src/foreign_fetch.ts";

const ADDRESS = "https://issuer.test/oauth/token";
const SECRET = "sk-secret-1234567890";

/** What the host's own fetch was given. */
type Given = Parameters<ForeignFetch>;

async function failureOf(
  foreign: ForeignFetch,
  limits?: { totalMs: number; maxBytes: number },
  signal?: AbortSignal,
): Promise<LoginError> {
  const fetch = createForeignFetch(foreign, limits);
  try {
    await fetch(ADDRESS, { ...(signal ? { signal } : {}) });
  } catch (thrown) {
    assert.ok(thrown instanceof LoginError, String(thrown));
    const told = [thrown.message, thrown.reason, thrown.hint, thrown.stack, thrown.cause].join();
    assert.ok(!told.includes(SECRET));
    // Nobody knows how far it came.
    assert.equal(thrown.requestSent, true);
    return thrown;
  }
  throw new Error("it did not fail");
}

/** A body that goes on until it is given up. */
function endless(
  chunk: Uint8Array,
): { body: ReadableStream<Uint8Array>; isCanceled: () => boolean } {
  let isCanceled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
    cancel: () => void (isCanceled = true),
  });
  return { body, isCanceled: () => isCanceled };
}

test("a host's fetch is asked for what is needed, and its answer is read whole", async () => {
  const given: Given[] = [];
  const fetch = createForeignFetch((...all) => {
    given.push(all);
    return Promise.resolve(
      new Response('{"a":1}', {
        status: 201,
        headers: { "content-type": "application/json", "content-encoding": "gzip", date: "now" },
      }),
    );
  });
  const answer = await fetch(ADDRESS, {
    method: "POST",
    headers: { accept: "*/*" },
    body: "a=b",
    limitMs: 1_000,
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("date"), "now");
  assert.equal(answer.headers.get("content-encoding"), null);
  assert.deepEqual(await answer.json(), { a: 1 });
  const [[url, { signal, ...init }]] = given as [Given];
  assert.equal(url, ADDRESS);
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(init, {
    method: "POST",
    headers: { accept: "*/*" },
    body: "a=b",
    redirect: "manual",
  });
});

test("the platform's own fetch fits, and a redirect is not followed", async () => {
  const paths: string[] = [];
  const server = createServer((request, reply) => {
    paths.push(request.url ?? "");
    if (request.url === "/moved") reply.writeHead(302, { location: "/elsewhere" }).end();
    else reply.writeHead(200, { "content-type": "text/plain" }).end("here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    const fetch = createForeignFetch(globalThis.fetch);
    const answer = await fetch(`http://127.0.0.1:${port}/plain`, {});
    assert.equal(await answer.text(), "here");
    assert.equal((await fetch(`http://127.0.0.1:${port}/moved`, {})).status, 302);
    assert.deepEqual(paths, ["/plain", "/moved"]);
    server.closeAllConnections();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("whatever a host's fetch throws is told by its class only", async () => {
  class Odd extends Error {}
  const thrown: [unknown, RegExp][] = [
    [new TypeError(`could not send ${SECRET}`), /TypeError/],
    [new Odd(SECRET, { cause: SECRET }), /Odd/],
    [new LoginError("ACCESS_DENIED", SECRET, { reason: SECRET }), /LoginError/],
    [Object.assign(new Error("x"), { name: SECRET, code: SECRET }), /Error/],
    [SECRET, /string/],
    [undefined, /undefined/],
    [Object.create(Error.prototype, { constructor: { value: undefined } }), /an error/],
  ];
  for (const [what, told] of thrown) {
    const rejected = await failureOf(() => Promise.reject(what));
    assert.equal(rejected.code, "NETWORK");
    assert.match(rejected.reason ?? "", told);
    const threw = await failureOf(() => {
      throw what;
    });
    assert.equal(threw.code, "NETWORK");
  }
});

test("what is no usable answer is refused", async () => {
  const followed = Object.defineProperty(new Response("x"), "redirected", { value: true });
  const opaque = Object.defineProperty(new Response("x"), "type", { value: "opaqueredirect" });
  const answers: unknown[] = [
    undefined,
    "text",
    {},
    { status: 99, headers: {}, body: null },
    { status: 200, headers: { [SECRET + "\n"]: "x" }, body: null },
    {
      status: 200,
      headers: {},
      body: { getReader: () => ({ read: () => Promise.reject(SECRET) }) },
    },
    { status: 200, headers: {}, body: SECRET },
    followed,
    opaque,
  ];
  for (const answer of answers) {
    const { code } = await failureOf(() => Promise.resolve(answer as Response));
    assert.equal(code, "NETWORK");
  }
});

test("an answer that never comes, or never ends, is given up in time", async () => {
  const limits = { totalMs: 20, maxBytes: 1_000 };
  let given: AbortSignal | undefined;
  const silent = await failureOf((_, { signal }) => {
    given = signal;
    return new Promise(() => {});
  }, limits);
  assert.equal(silent.code, "RESPONSE_TIMEOUT");
  assert.equal(given?.aborted, true);

  let isCanceled = false;
  const stuck = new ReadableStream({ cancel: () => void (isCanceled = true) });
  const halfway = await failureOf(() => Promise.resolve(new Response(stuck)), limits);
  assert.equal(halfway.code, "RESPONSE_TIMEOUT");
  assert.ok(isCanceled);

  // A body that comes when nobody waits any more is let go of.
  const late = deferred<Response>();
  const { body, isCanceled: isLateCanceled } = endless(new Uint8Array(10));
  assert.equal((await failureOf(() => late.promise, limits)).code, "RESPONSE_TIMEOUT");
  late.resolve(new Response(body));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(isLateCanceled());
});

test("a body is read up to its limit and no further, however it is cut", async () => {
  const limits = { totalMs: 30_000, maxBytes: 1_000 };
  for (const size of [0, 1, 999, 1_001]) {
    const { body, isCanceled } = endless(new Uint8Array(size));
    const answer = { status: 200, headers: {}, body } as unknown as Response;
    assert.equal(
      (await failureOf(() => Promise.resolve(answer), limits)).code,
      "RESPONSE_TOO_LARGE",
    );
    assert.ok(isCanceled());
  }
  const fits = await createForeignFetch(
    () => Promise.resolve(new Response(new Uint8Array(1_000))),
    limits,
  )(ADDRESS, {});
  assert.equal((await fits.arrayBuffer()).byteLength, 1_000);
});

test("a signal ends the wait with its own reason, and is let go of", async () => {
  const reason = new LoginError("CANCELED", "over");
  const early = AbortSignal.abort(reason);
  assert.equal(
    (await failureOf(() => assert.fail("it was asked"), undefined, early)).code,
    "CANCELED",
  );
  const ending = new AbortController();
  const failing = failureOf(() => new Promise(() => {}), undefined, ending.signal);
  ending.abort(reason);
  assert.equal(await failing, reason);
});

test("only addresses that may get secrets are asked", async () => {
  const fetch = createForeignFetch(() => assert.fail("it was asked"));
  for (const address of ["http://issuer.test/", "https://a@b.test/", "file:///etc/passwd"]) {
    await assert.rejects(fetch(address, {}), { code: "ISSUER_INVALID" });
  }
});
