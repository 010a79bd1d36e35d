import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { createFetch } from "../src/http.ts";
import { parseIssuer } from "../src/oauth/issuer.ts";
import { checkReachable } from "../src/preflight.ts";
import type { Fetch, FetchInit } from "../src/world.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { CLOSED_PORT } from "./testing/network_faults.ts";
import { startLogin } from "./testing/login_run.ts";

const signal = new AbortController().signal;

test("checkReachable() asks the origin once, in 3 s, with nothing of the sign-in, and takes any answer", async () => {
  const asked: [url: string, init: FetchInit][] = [];
  const issuer = parseIssuer("https://issuer.test/tenant/one");
  for (const status of [200, 302, 403, 404, 503]) {
    const fetch: Fetch = (url, init) => {
      asked.push([url, init]);
      return Promise.resolve(new Response(null, { status }));
    };
    assert.equal(await checkReachable({ fetch, signal }, issuer, signal), undefined);
    const [[url, init] = ["", {}], ...more] = asked.splice(0);
    assert.deepEqual([url, more], ["https://issuer.test/", []]);
    const { signal: _, ...sent } = init;
    assert.deepEqual(sent, { method: "HEAD", redirect: "manual", limitMs: 3_000 });
  }
});

test("checkReachable() warns with the cause and the next step, and not of an answer that cannot be read", async () => {
  const issuer = parseIssuer("https://issuer.test");
  const failing = (code: "DNS" | "TLS" | "RESPONSE_TOO_LARGE", reason?: string): Promise<unknown> =>
    checkReachable(
      {
        fetch: () =>
          Promise.reject(
            new LoginError(code, "The issuer at issuer.test could not be asked", {
              ...(reason === undefined ? {} : { reason }),
            }),
          ),
        signal,
      },
      issuer,
      signal,
    );
  assert.equal(
    await failing("DNS", "no address was found for that name (ENOTFOUND)"),
    "Warning: The issuer at issuer.test could not be asked (DNS: no address was found for that name " +
      "(ENOTFOUND)). The sign-in can be done in the browser, but not completed here: check the " +
      "connection, then run the command again.",
  );
  assert.match(String(await failing("TLS")), /could not be asked \(TLS\)\./);
  assert.equal(await failing("RESPONSE_TOO_LARGE"), undefined);
  const moot = AbortSignal.abort();
  const fetch = createFetch();
  assert.equal(await checkReachable({ fetch, signal }, issuer, moot), undefined);
  assert.equal(await checkReachable({ fetch, signal: moot }, issuer, signal), undefined);
});

test("login() asks once whether the issuer can be reached, and a browser waits for no answer", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const answer = deferred<Response>();
  const real = createFetch();
  let heads = 0;
  const fetch: Fetch = (url, init) => {
    if (init.method !== "HEAD") return real(url, init);
    heads++;
    init.signal?.addEventListener("abort", () => answer.reject(init.signal?.reason));
    return answer.promise;
  };
  const run = await startLogin(home, issuer, [], { fetch });
  await visit(await run.authUrl);
  assert.equal(await run.exitCode, 0);
  assert.equal(run.world.launched.length, 1);
  assert.equal(heads, 1);
  await assert.rejects(answer.promise, "the answer is no news any more");
  assert.ok(!run.world.words.some((line) => line.startsWith("Warning:")));
});

test("login() warns of an issuer that cannot be reached, after the address, and waits on", async () => {
  await using home = await createHome();
  await using proper = await startIssuer();
  const gone = { ...proper, url: `http://127.0.0.1:${CLOSED_PORT}` };
  const run = await startLogin(home, gone, ["--timeout", "5s"]);
  const authUrl = await run.authUrl;
  assert.equal(await run.exitCode, 6);
  const { words, launched } = run.world;
  const warnings = words.filter((line) => line.startsWith("Warning:"));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /^Warning: The issuer at 127\.0\.0\.1:\d+ could not be asked \(CONNECT_REFUSED: /,
  );
  assert.ok(words.indexOf(warnings[0] ?? "") > words.indexOf(authUrl));
  assert.equal(launched.length, 1, "the browser is opened all the same");
  assertNoSecrets(await home.textOutsideAuth(), proper, authUrl);
  assert.match(
    await home.textOutsideAuth(),
    /request failed endpoint=http:\/\/127\.0\.0\.1:\d+\/ code=CONNECT_REFUSED cause=/,
  );

  const json = await startLogin(home, gone, ["--json", "--quiet", "--timeout", "100ms"]);
  assert.equal(await json.exitCode, 6);
  const events = json.world.data.map((line) => JSON.parse(line).event);
  assert.deepEqual(events, ["waiting", "failed"], "stdout holds data only");
});
