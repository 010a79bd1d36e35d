import assert from "node:assert/strict";
import { launchChromium, openContext } from "./testing/chromium.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { assertHardened } from "./testing/hardened.ts";
import { createHome } from "./testing/home.ts";
import { checkHtml } from "./testing/html_checker.ts";
import { ANSWERS, get, readHead, type Reply, sendRaw } from "./testing/http_client.ts";
import { type IssuerOptions, type Misbehaviour, startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { startLogin, SUBJECT } from "./testing/program.ts";
import { missingChromium, missingTool } from "./testing/tools.ts";
import { OLA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
const SAME_PAGES = SUBJECT === "bundle" && "the same pages as everywhere";

interface Denial {
  readonly error?: string;
  readonly description?: string;
  readonly token?: Misbehaviour;
}

/** What the browser is shown in the end when a sign-in fails in this way. Nothing was stored, and nothing leaked. */
async function failWith({ error, description = "", token }: Denial): Promise<Reply> {
  await using issuer = await startIssuer();
  await using home = await createHome();
  if (token) issuer.misbehave.token = token;
  await using program = startLogin(home, issuer);
  const authUrl = await program.authUrl();
  const callback = new URL(await obtainCallback(authUrl));
  if (error !== undefined) {
    callback.searchParams.delete("code");
    callback.searchParams.set("error", error);
    callback.searchParams.set("error_description", description);
  }
  const reply = await get(callback.href);
  const { exitCode, stderr } = await program.ended;
  assert.ok(exitCode === 1 || exitCode === 5, stderr);
  assert.ok(!(await home.list()).includes("auth.json"));
  assertNoSecrets(JSON.stringify(reply), issuer, authUrl);
  return reply;
}

/** The last page of a sign-in that goes well. */
async function signIn(options: IssuerOptions = {}): Promise<Reply> {
  await using issuer = await startIssuer(options);
  await using home = await createHome();
  await using program = startLogin(home, issuer);
  const last = (await visit(await program.authUrl())).at(-1)?.reply;
  assert.ok(last);
  return last;
}

verifies(
  "S19",
  `${SUBJECT}: the page of each failure is hardened, and has the status of what failed`,
  SLOW,
  async () => {
    const rows: [denial: Denial, status: number][] = [
      [{ error: "access_denied" }, 403],
      [{ error: "server_error" }, 400],
      [{ token: { status: 400, body: '{"error":"invalid_grant"}' } }, 502],
      [{ token: { status: 503, body: "" } }, 502],
      [{ token: { status: 200, body: "{}" } }, 502],
      [{ token: { reset: true } }, 502],
    ];
    await Promise.all(rows.map(async ([denial, status]) => {
      const reply = await failWith(denial);
      assert.equal(reply.status, status, JSON.stringify(denial));
      assertHardened(reply);
      assert.match(String(reply.headers["content-type"]), /^text\/html; charset=utf-8$/);
    }));
  },
);

verifies(
  ["S19", "S22"],
  `${SUBJECT}: refusals of what is broken, too long or too much are hardened, and leave nothing open`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const authUrl = await program.authUrl();
    const { port: given, pathname, search } = new URL(await obtainCallback(authUrl));
    const port = Number(given);
    const line = `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    /** Those that reach us on each runtime, which each would sign in but for what is wrong with it. */
    const ours: [bytes: string, status: number][] = [
      [line.replace(search, `${search}&x=%ZZ`) + "\r\n", 400],
      [line.replace(search, `${search}&x=%ff`) + "\r\n", 400],
      [`${line}Origin: null\r\n\r\n`, 403],
      [line.replace(pathname, `${pathname}x`) + "\r\n", 404],
      [line.replace("GET", "HEAD") + "\r\n", 405],
      [`${line}Content-Length: 3\r\n\r\nabc`, 413],
      [`${line}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, 413],
      [line.replace(search, `${search}&x=${"x".repeat(8_200)}`) + "\r\n", 414],
      [line.replace(/Host: .*/, `Host: evil.test:${port}`) + "\r\n", 421],
      [`${line}X-Long: ${"x".repeat(8_200)}\r\n\r\n`, 431],
    ];
    for (const [bytes, status] of ours) {
      const head = readHead(await sendRaw(port, bytes, ANSWERS));
      assert.equal(head.status, status, bytes.slice(0, 80));
      assertHardened(head);
    }
    const theirs = [
      "\0\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      line + "X-Many: x\r\n".repeat(1_000) + "\r\n",
      `${line}X-Long: ${"x".repeat(1_000_000)}\r\n\r\n`,
      `${line}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${line}Host: evil.test\r\n\r\n`,
      `${line}Expect: something\r\nOrigin: null\r\n\r\n`,
    ];
    for (const bytes of theirs) {
      const received = await sendRaw(port, bytes);
      if (received === "") continue;
      const head = readHead(received);
      assert.match(String(head.status), /^(4\d\d|505)$/, bytes.slice(0, 80));
      // The other servers refuse these by themselves: a status, and nothing that a page could use.
      if (SUBJECT === "bundle") assertHardened(head);
      else assert.ok(!/\r\n\r\n[^]*<|\r\nServer:/i.test(received), received.slice(0, 200));
    }
    assert.equal(issuer.asked("token").length, 0);
    assert.ok(!(await home.list()).includes("auth.json"));
    await visit(authUrl);
    assert.equal((await program.ended).exitCode, 0);
  },
);

verifies(
  "S22",
  `${SUBJECT}: one request a connection: what comes after it is not looked at`,
  // Deno says so too, and leaves it to the client to close.
  { ...SLOW, skip: SUBJECT === "source" && "Deno" in globalThis && "Deno keeps connections open" },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const callback = new URL(await obtainCallback(await program.authUrl()));
    const { port, pathname, search } = callback;
    const host = `Host: 127.0.0.1:${port}\r\n\r\n`;
    const both = `GET / HTTP/1.1\r\n${host}GET ${pathname}${search} HTTP/1.1\r\n${host}`;
    const received = await sendRaw(Number(port), both, ANSWERS);
    assert.equal(received.match(/HTTP\/1\.1 /g)?.length, 1, received);
    assert.match(received, /^HTTP\/1\.1 404 /);
    assert.equal(issuer.asked("token").length, 0);
    assert.equal((await get(callback.href)).status, 303);
    assert.equal((await program.ended).exitCode, 0);
  },
);

const HOSTILE_WORDS = [
  `<script>document.title="owned"</script><img src=x onerror="document.title='owned'">`,
  `"'></p></main></body></html><iframe src=https://evil.test></iframe><base href=https://evil.test>`,
  `<!--<style>*{display:none}</style>--><meta http-equiv=refresh content="0;url=https://evil.test">`,
  `{{title}}{{#code}}x{{/code}} ]]>&lt;b&gt; <svg onload=alert(1)><a href="javascript:alert(1)">x</a>`,
  "\u202eorder\u2066\u0000\u001b[31m\u2028 <plaintext><textarea><title>",
];

verifies(
  "S20",
  `${SUBJECT}: a browser finds only our elements on a page with an issuer's words, and asks for nothing`,
  { ...SLOW, skip: missingChromium() || SAME_PAGES },
  async () => {
    await using browser = await launchChromium();
    const { page, requests, problems } = await openContext(browser);
    const shapes: string[] = [];
    for (const description of ["plain words", ...HOSTILE_WORDS]) {
      const reply = await failWith({ error: "server_error", description });
      await page.route("http://127.0.0.1:9/page", (route) =>
        route.fulfill({
          status: reply.status,
          body: reply.body,
          headers: Object.fromEntries(
            Object.entries(reply.headers).map(([name, value]) => [name, String(value)]),
          ),
        }));
      await page.goto("http://127.0.0.1:9/page");
      shapes.push(
        await page.evaluate<string>(
          `document.title + [...document.querySelectorAll("*")].map((one) =>
            one.tagName + [...one.attributes].map(({ name, value }) => " " + name + "=" + value)).join()`,
        ),
      );
      await page.unroute("http://127.0.0.1:9/page");
    }
    assert.equal(new Set(shapes).size, 1, shapes.join("\n"));
    assert.ok(requests.every(({ host }) => host === "127.0.0.1:9"), requests.join());
    assert.deepEqual(problems.filter((text) => !/status of 400/.test(text)), []);
  },
);

verifies(
  "S21",
  `${SUBJECT}: the Nu HTML checker finds nothing to say of any page`,
  { ...SLOW, skip: missingTool("java", "-version") || SAME_PAGES },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const callback = await obtainCallback(await program.authUrl());
    const foreign = await get(callback.replace(/state=/, "state=x"));
    const replies: Record<string, Reply> = {
      success: await signIn(),
      setup: await signIn({ users: [OLA] }),
      denied: await failWith({ error: "access_denied" }),
      hostile: await failWith({ error: "server_error", description: HOSTILE_WORDS.join(" ") }),
      bare: await failWith({ error: "server_error" }),
      failed: await failWith({ token: { status: 503, body: "" } }),
      foreign,
    };
    for (const [name, { headers }] of Object.entries(replies)) {
      assert.equal(headers["content-type"], "text/html; charset=utf-8", name);
    }
    const pages = Object.entries(replies).map(([name, { body }]) => [name, body]);
    const found = await checkHtml({
      ...Object.fromEntries(pages),
      // To see that it looks.
      wrong: "<!doctype html><html lang=en><title>x</title><p><img src=x>",
    });
    assert.deepEqual(found.map((line) => line.replace(/(: error:).*/, "$1")), ["wrong: error:"]);
    // Whatever else is refused has no page.
    for (const path of ["/", "/success", "/auth/callback/"]) {
      const refused = await get(new URL(path, callback).href);
      assert.equal(refused.headers["content-type"], "text/plain; charset=utf-8");
    }
  },
);
