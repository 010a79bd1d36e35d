import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseRequest } from "../src/request_guard.ts";
import { verifies } from "./testing/verifies.ts";

const PORT = 1455;

function judge(
  { method = "GET", path = "/success", host = `127.0.0.1:${PORT}`, headers = {} }: {
    method?: string;
    path?: string;
    host?: string | undefined;
    headers?: Record<string, string>;
  },
): number | undefined {
  // As the runtimes give it: the URL is made from the Host header.
  const request = {
    method,
    url: `http://${host}${path}`,
    headers: new Headers({ ...(host ? { host } : {}), ...headers }),
  } as Request;
  return refuseRequest(request, PORT, (one) => one === "/success")?.status;
}

verifies(
  "S16",
  "refuseRequest() lets a navigation to this listener pass, by any of its three names",
  () => {
    for (const host of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"]) {
      assert.equal(judge({ host: `${host}:${PORT}` }), undefined, host);
    }
    assert.equal(
      judge({
        headers: {
          "sec-fetch-site": "cross-site",
          "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document",
        },
      }),
      undefined,
    );
  },
);

test("refuseRequest() knows its own name without a port where the scheme implies it", () => {
  const headers = new Headers({ host: "127.0.0.1" });
  const request = { method: "GET", url: "http://127.0.0.1/success", headers } as Request;
  assert.equal(refuseRequest(request, 80, () => true), undefined);
});

verifies("S14", "refuseRequest() refuses every other Host", () => {
  for (
    const host of [
      "evil.test",
      `evil.test:${PORT}`,
      "127.0.0.1",
      "127.0.0.1:80",
      `127.0.0.1:${PORT}, evil.test`,
      `127.0.0.1:${PORT}.evil.test`,
      `evil@127.0.0.1:${PORT}`,
      `127.0.0.2:${PORT}`,
      "",
    ]
  ) assert.equal(judge({ host }), 421, host);
});

verifies("S14", "refuseRequest() refuses a target in absolute form that names another host", () => {
  const request = {
    method: "GET",
    url: "http://evil.test/success",
    headers: new Headers({ host: `127.0.0.1:${PORT}` }),
  } as Request;
  assert.equal(refuseRequest(request, PORT, () => true)?.status, 421);
});

verifies(
  "S14",
  "refuseRequest() refuses a user's name in the target, and escapes that are none",
  () => {
    const headers = new Headers({ host: `127.0.0.1:${PORT}` });
    const judgeUrl = (url: string): number | undefined =>
      refuseRequest({ method: "GET", url, headers } as Request, PORT, () => true)?.status;
    assert.equal(judgeUrl(`http://evil@127.0.0.1:${PORT}/success`), 421);
    assert.equal(judgeUrl(`http://a:b@127.0.0.1:${PORT}/success`), 421);
    for (const query of ["state=%", "state=%ZZ", "code=a%2", "code=%ff", "x=%c3%28", "%ED%A0%80"]) {
      assert.equal(judgeUrl(`http://127.0.0.1:${PORT}/success?${query}`), 400, query);
    }
    assert.equal(
      judgeUrl(`http://127.0.0.1:${PORT}/success?x=%C3%A4+%25&y=%F0%9F%94%91`),
      undefined,
    );
  },
);

verifies("S15", "refuseRequest() refuses other paths, other methods and bodies", () => {
  for (
    const path of [
      "/",
      "/favicon.ico",
      "/success/",
      "//success",
      "/Success",
      "/%73uccess",
      "/success;a=b",
    ]
  ) {
    assert.equal(judge({ path }), 404, path);
  }
  for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) {
    assert.equal(judge({ method }), 405, method);
  }
  assert.equal(judge({ headers: { "content-length": "3" } }), 413);
  assert.equal(judge({ headers: { "transfer-encoding": "chunked" } }), 413);
  assert.equal(judge({ headers: { "content-length": "0" } }), undefined);
});

verifies(
  "S16",
  "refuseRequest() refuses what pages do: images, scripts, frames, fetches, forms, prefetches",
  () => {
    const rows: Record<string, string>[] = [
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
      { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
      { "sec-fetch-mode": "navigate", "sec-fetch-dest": "embed" },
      { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      { "sec-fetch-mode": "same-origin", "sec-fetch-dest": "empty" },
      { "sec-fetch-mode": "websocket" },
      { origin: "https://evil.test" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${PORT}` },
      { "sec-purpose": "prefetch" },
      { "sec-purpose": "prefetch;prerender" },
      { purpose: "prefetch" },
      { "x-moz": "prefetch" },
    ];
    for (const headers of rows) assert.equal(judge({ headers }), 403, JSON.stringify(headers));
  },
);

verifies("S22", "refuseRequest() bounds the target and the headers", () => {
  assert.equal(judge({ path: `/success?x=${"y".repeat(9_000)}` }), 414);
  assert.equal(judge({ headers: { "x-long": "y".repeat(9_000) } }), 431);
  // As the runtimes give a thousand lines of `x-many: y`.
  assert.equal(judge({ headers: { "x-many": Array(1_000).fill("y").join(", ") } }), 431);
});
