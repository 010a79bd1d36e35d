import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { assertNoCanary } from "./testing/canaries.ts";
import { createHome } from "./testing/home.ts";
import {
  assertCleanPlaces,
  assertFailedWhole,
  complete,
  EARLIER,
  placesOf,
  rowsFor,
  secretsOf,
  signIn,
} from "./testing/hostile_login.ts";
import { type Endpoint, type Misbehaviour, startIssuer } from "./testing/issuer.ts";
import { FaultyNetwork } from "./testing/network_faults.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { times } from "./testing/thorough.ts";
import { TLS } from "./testing/tls.ts";
import { together } from "./testing/together.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };
const JSON_TYPE = { "content-type": "application/json" };

interface Elsewhere extends AsyncDisposable {
  readonly url: string;
  connections(): number;
}

/** A server that nobody should ever come to. */
async function startElsewhere(): Promise<Elsewhere> {
  let connections = 0;
  const server: Server = createServer((_, outgoing) => outgoing.end("{}"));
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** To another origin, to another path, and to itself. */
function redirects(issuer: string, elsewhere: string): Misbehaviour[] {
  return ([
    [307, `${elsewhere}/oauth/token`],
    [308, `${issuer}/oauth/token2`],
    [302, `${elsewhere}/`],
    [301, "/oauth/token"],
    [303, "//127.0.0.1:1/"],
    [300, elsewhere],
  ] as const).map(([status, location]) => ({
    status,
    headers: { ...JSON_TYPE, location },
    body: "{}",
  }));
}

verifies("S31", `${SUBJECT}: no redirect of the token endpoint is followed`, SLOW, async () => {
  await using elsewhere = await startElsewhere();
  const rows = [undefined, TLS].flatMap((tls) =>
    [0, 1, 2, 3, 4, 5].map((i) => ({ name: `${tls ? "https" : "http"} ${i}`, tls, i }))
  );
  await together(rowsFor(rows, 5), async ({ tls, i }) => {
    await using issuer = await startIssuer(tls ? { tls } : {});
    await using home = await createHome();
    issuer.misbehave.token = redirects(issuer.url, elsewhere.url)[i] ?? {};
    const ended = await signIn(home, issuer);
    await assertFailedWhole(home, issuer, ended, "TOKEN_ENDPOINT");
    assert.match(ended.stderr, /cause: HTTP 30\d/);
    // A HEAD asks only whether the issuer is there.
    const asked = issuer.requests.filter(({ method }) => method !== "HEAD");
    assert.deepEqual(asked.map(({ endpoint }) => endpoint), ["authorize", "token"]);
  });
  assert.equal(elsewhere.connections(), 0);
});

verifies(
  "S31",
  `${SUBJECT}: no redirect of another endpoint is followed either`,
  SLOW,
  async () => {
    await using elsewhere = await startElsewhere();
    const rows: { name: Endpoint; args: string[]; code: string | undefined; exitCode: number }[] = [
      { name: "refresh", args: ["refresh"], code: "REFRESH_FAILED", exitCode: 5 },
      { name: "revoke", args: ["logout"], code: undefined, exitCode: 0 },
      {
        name: "deviceCode",
        args: ["login", "--device-auth", "--issuer"],
        code: "AUTHORIZATION_FAILED",
        exitCode: 1,
      },
      {
        name: "devicePoll",
        args: ["login", "--device-auth", "--issuer"],
        code: "AUTHORIZATION_FAILED",
        exitCode: 1,
      },
      {
        name: "whoami",
        args: ["login", "--with-access-token"],
        code: "TOKEN_ENDPOINT",
        exitCode: 1,
      },
    ];
    const all = rows.flatMap((row) => [0, 1].map((i) => ({ ...row, i })));
    await together(rowsFor(all, 2), async ({ name, args, code, exitCode, i }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      issuer.misbehave[name] = redirects(issuer.url, elsewhere.url)[i] ?? {};
      await storeLogin(home, issuer, 3_600);
      const before = await home.readAuth();
      const token = "at-canary-0123456789abcdefghij";
      issuer.secrets.push(token);
      const ended = await runProgram(
        home,
        args.at(-1) === "--issuer" ? [...args, issuer.url] : args,
        name === "whoami" ? { input: token, env: { CODEX_AUTHAPI_BASE_URL: issuer.url } } : {},
      );
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      if (code === undefined) assert.match(ended.stderr, /HTTP 30[78]/);
      else {
        assert.match(ended.stderr, new RegExp(`error\\[${code}\\][^]*HTTP 30[78]`));
        assert.equal(await home.readAuth(), before);
      }
      assertNoCanary(await placesOf(home, ended), issuer.secrets);
      const askedElsewhere = issuer.requests.filter(({ url }) => url.pathname.endsWith("token2"));
      assert.deepEqual(askedElsewhere, []);
      assert.equal(issuer.asked(name).length, 1);
    });
    assert.equal(elsewhere.connections(), 0);
  },
);

const change = (members: Record<string, unknown>): Misbehaviour => ({
  change: (answer) => ({ ...answer, ...members }),
});

const TOKEN_ANSWERS: { name: string; wrong: Misbehaviour; code?: string }[] = [
  {
    name: "a gzip bomb",
    wrong: packed(gzipSync(new Uint8Array(times(64, 600) << 20))),
    code: "LARGE",
  },
  { name: "plain text", wrong: typed("text/plain") },
  { name: "no content type", wrong: typed("") },
  { name: "nearly JSON", wrong: typed("application/jsonp") },
  { name: "two types", wrong: typed("text/html, application/json"), code: "PORTAL" },
  { name: "201", wrong: { status: 201, body: "{}" }, code: "TOKEN_ENDPOINT" },
  { name: "206", wrong: { status: 206, body: "{}" }, code: "TOKEN_ENDPOINT" },
  { name: "204", wrong: { status: 204 }, code: "TOKEN_ENDPOINT" },
  ...["mac", "", "bearer ", "DPoP", 1, null, ["Bearer"], { Bearer: 1 }].map((type) => ({
    name: `the type ${JSON.stringify(type)}`,
    wrong: change({ token_type: type }),
  })),
  ...["id_token", "access_token", "refresh_token"].flatMap((member) =>
    ["", null, [], ["x"], {}, 5, true, "a\nb", "caf\u00e9", "x".repeat(70_000)].map((value) => ({
      name: `${member} ${JSON.stringify(value).slice(0, 20)}`,
      wrong: change({ [member]: value }),
    }))
  ),
  ...["[]", "null", '"text"', "7", "", "{", "[".repeat(20_000), "\ufeff{}", '{"a":1}{}'].map((
    body,
  ) => ({ name: `the body ${body.slice(0, 10)}`, wrong: { status: 200, body } })),
  {
    name: "members twice",
    wrong: {
      status: 200,
      body:
        '{"id_token":"a.b.c","access_token":"x","refresh_token":"y","token_type":"Bearer","access_token":""}',
    },
  },
  {
    name: "members of the prototype",
    wrong: {
      status: 200,
      body: '{"__proto__":{"id_token":"a.b.c","access_token":"x","refresh_token":"y"}}',
    },
  },
];

function packed(body: Uint8Array): Misbehaviour {
  return { status: 200, headers: { ...JSON_TYPE, "content-encoding": "gzip" }, body };
}

function typed(type: string): Misbehaviour {
  return { change: (same) => same, headers: { "content-type": type } };
}

const CODES: Record<string, readonly [code: string, exitCode: number]> = {
  LARGE: ["RESPONSE_TOO_LARGE", 1],
  PORTAL: ["CAPTIVE_PORTAL", 5],
  TOKEN_ENDPOINT: ["TOKEN_ENDPOINT", 1],
};

verifies(
  ["S30", "S32"],
  `${SUBJECT}: a token answer of any wrong form saves nothing`,
  SLOW,
  async () => {
    await together(rowsFor(TOKEN_ANSWERS, 7), async ({ wrong, code }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      issuer.misbehave.token = wrong;
      const ended = await signIn(home, issuer);
      const expected = CODES[code ?? ""] ?? ["TOKEN_RESPONSE_INVALID", 1];
      await assertFailedWhole(home, issuer, ended, ...expected);
      assert.equal(issuer.asked("token").length, 1);
    });
  },
);

verifies(
  "S30",
  `${SUBJECT}: of a body of 600 MB little is read, and less is kept`,
  SLOW,
  async () => {
    const megabyte = "x".repeat(1 << 20);
    let sent = 0;
    let peakKb = 0;
    let pid = 0;
    const look = (): void => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        peakKb = Math.max(peakKb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
      } catch {
        // It has ended, and nothing is told of it any more.
      }
    };
    await using network = new FaultyNetwork();
    await using home = await createHome();
    await home.writeAuth(EARLIER);
    const port = await network.listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n");
      socket.write(`content-length: ${600 << 20}\r\n\r\n`);
      const pour = (): void => {
        look();
        if (!socket.writable || sent >= 600) return;
        sent++;
        socket.write(megabyte, pour);
      };
      pour();
      socket.once("close", look);
    });
    await using program = startLogin(home, { url: `http://127.0.0.1:${port}` });
    pid = program.child.pid ?? 0;
    const ended = await complete(program, (authUrl) => {
      const query = new URL(authUrl).searchParams;
      const callback = new URLSearchParams({ code: "a-code", state: query.get("state") ?? "" });
      return Promise.resolve(`${query.get("redirect_uri")}?${callback}`);
    });
    assert.equal(ended.exitCode, 1, ended.stderr);
    assert.match(ended.stderr, /error\[RESPONSE_TOO_LARGE\]/);
    assert.deepEqual(await home.authJson(), EARLIER);
    assert.ok(sent < 64, `${sent} MB were taken`);
    if (process.platform === "linux") assert.ok(peakKb > 0 && peakKb < 320_000, `${peakKb} kB`);
  },
);

verifies(
  ["S36", "S64"],
  `${SUBJECT}: the query of an override address, echoed, is shown nowhere`,
  SLOW,
  async () => {
    const key = "query-canary-5f1d+/x";
    const rows = [
      { name: "REFRESH", args: ["refresh"], exitCode: 5, path: "/oauth/token" },
      { name: "REVOKE", args: ["logout", "--verbose"], exitCode: 0, path: "/oauth/revoke" },
    ];
    await together(rows, async ({ name, args, exitCode, path }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const echoes = (sent: string): string => sent;
      issuer.misbehave.refresh = { echoes };
      issuer.misbehave.revoke = { echoes, status: 500 };
      await storeLogin(home, issuer, 3_600);
      const address = `${issuer.url}${path}?tenant=7&key=${encodeURIComponent(key)}`;
      const env = { [`CODEX_${name}_TOKEN_URL_OVERRIDE`]: address };
      const ended = await runProgram(home, args, { env });
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, new RegExp(`CODEX_${name}_TOKEN_URL_OVERRIDE decides where`));
      assert.match(ended.stderr, /redacted/);
      const doctor = await runProgram(home, ["doctor"], { env });
      for (const run of [ended, doctor]) {
        const places = await placesOf(home, run);
        assertNoCanary(places, [key, ...secretsOf(issuer, ended)]);
        assertCleanPlaces(places);
      }
    });
  },
);
