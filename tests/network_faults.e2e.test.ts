import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { answer, CLOSED_PORT, FAULTS_CA, FaultyNetwork } from "./testing/network_faults.ts";
import { runProgram, startLogin, type StartOptions, SUBJECT } from "./testing/program.ts";
import { missingNamespaces } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

/** Half a minute is the longest limit; all faults are waited for at once. */
const PATIENT = { timeout: 240_000 };
const CODE = "ac_canary-code-5b1d";
const PASSWORD = "canary-pw-7f3a";

/** Where the program is led to, and in what surroundings. */
interface Scene {
  readonly url: string;
  readonly options?: StartOptions;
}

type Prepare = (network: FaultyNetwork, home: TestHome) => Promise<Scene>;

interface Fault {
  readonly name: string;
  readonly code: string;
  readonly exit: number;
  readonly cause: RegExp;
  readonly hint: RegExp;
  readonly prepare: Prepare;
}

const html = { "content-type": "text/html" };
const RETRY = /check the connection/;

function fault(
  name: string,
  code: string,
  exit: number,
  cause: RegExp,
  hint: RegExp,
  prepare: Prepare,
): Fault {
  return { name, code, exit, cause, hint, prepare };
}

const byHttp = (reply: Parameters<FaultyNetwork["listen"]>[0]): Prepare => async (network) => ({
  url: `http://127.0.0.1:${await network.listen(reply)}`,
});

const byTls = (
  certificate: Parameters<FaultyNetwork["listenTls"]>[0],
  env: Record<string, string> = { CODEX_CA_CERTIFICATE: FAULTS_CA },
): Prepare =>
async (network) => {
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  const port = await network.listenTls(certificate, answer("200 OK", "", { date }));
  return { url: `https://localhost:${port}`, options: { env } };
};

const byProxy = (reply: string | undefined): Prepare => async (network) => {
  const port = reply === undefined
    ? CLOSED_PORT
    : await network.listen((socket) => socket.end(reply));
  const env = { HTTPS_PROXY: `http://me:${PASSWORD}@127.0.0.1:${port}` };
  return { url: "https://issuer.test", options: { env } };
};

const FAULTS: readonly Fault[] = [
  fault(
    "refused",
    "CONNECT_REFUSED",
    5,
    /ECONNREFUSED/,
    RETRY,
    () => Promise.resolve({ url: `https://127.0.0.1:${CLOSED_PORT}` }),
  ),
  fault(
    "reset",
    "CONNECTION_RESET",
    5,
    /cut before the answer/,
    RETRY,
    byHttp((socket) => socket.resetAndDestroy()),
  ),
  fault(
    "silence after the headers",
    "RESPONSE_TIMEOUT",
    5,
    /no complete answer in time/,
    RETRY,
    byHttp((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")),
  ),
  fault(
    "a body without an end",
    "RESPONSE_TOO_LARGE",
    1,
    /larger than 1048576 bytes/,
    /codex-login/,
    byHttp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
      const pour = (): void => void (socket.writable && socket.write("x".repeat(1 << 16), pour));
      pour();
    }),
  ),
  fault(
    "self-signed",
    "TLS_UNTRUSTED",
    5,
    /made by itself/,
    /CODEX_CA_CERTIFICATE/,
    byTls("selfsigned"),
  ),
  fault(
    "unknown CA",
    "TLS_UNTRUSTED",
    5,
    /by codex-login faults CA/,
    /CODEX_CA_CERTIFICATE/,
    byTls("issuer", {}),
  ),
  fault(
    "expired",
    "TLS_EXPIRED",
    5,
    /valid until 2021-.*1 hour behind|valid until 2021-.* behind the issuer's/,
    /clock right/,
    byTls("expired"),
  ),
  fault(
    "not yet valid, and a clock an hour off",
    "TLS_NOT_YET_VALID",
    5,
    /valid from 2100-.* behind the issuer's/,
    /clock right/,
    byTls("early"),
  ),
  fault("wrong name", "TLS_WRONG_NAME", 5, /other\.test/, /--issuer/, byTls("other")),
  fault(
    "proxy 407",
    "PROXY_AUTH",
    5,
    /HTTP 407/,
    /HTTPS_PROXY=http:\/\/USER:PASSWORD@/,
    byProxy("HTTP/1.1 407 Auth\r\n\r\n"),
  ),
  fault(
    "proxy 403",
    "PROXY_REFUSED",
    5,
    /HTTP 403/,
    /issuer\.test:443/,
    byProxy("HTTP/1.1 403 No\r\n\r\n"),
  ),
  fault("proxy down", "PROXY_UNREACHABLE", 5, /ECONNREFUSED/, /HTTPS_PROXY/, byProxy(undefined)),
  fault(
    "a fault behind a good proxy",
    "ISSUER_FAULT",
    1,
    /HTTP 500/,
    /in a while/,
    async (network) => {
      const port = await network.listenTls("issuer", answer("500 Oops", "{}"));
      const env = {
        ALL_PROXY: `http://me:${PASSWORD}@127.0.0.1:${await network.listenAsProxy(port)}`,
        CODEX_CA_CERTIFICATE: FAULTS_CA,
      };
      return { url: "https://issuer.test", options: { env } };
    },
  ),
  fault(
    "a portal's page",
    "CAPTIVE_PORTAL",
    5,
    /HTML page instead of JSON/,
    /sign in to the network/,
    byHttp(answer("200 OK", "<html>Pay here", html)),
  ),
  fault(
    "a portal that says so",
    "CAPTIVE_PORTAL",
    5,
    /HTTP 511/,
    /sign in to the network/,
    byHttp(answer("511 Network Authentication Required", "<html>", html)),
  ),
  fault(
    "a challenge",
    "CHALLENGE",
    1,
    /HTTP 403.*\(request 8abc-FRA\)/,
    /another network/,
    byHttp(
      answer("403 No", "<html>", { ...html, "cf-mitigated": "challenge", "cf-ray": "8abc-FRA" }),
    ),
  ),
  fault(
    "a limit",
    "RATE_LIMITED",
    1,
    /HTTP 429.*wait 7 s/,
    /wait a while/,
    byHttp(answer("429 Slow", "{}", { "retry-after": "7" })),
  ),
  fault("500", "ISSUER_FAULT", 1, /HTTP 500/, /in a while/, byHttp(answer("500 Oops", "{}"))),
  fault(
    "502 with a page",
    "ISSUER_FAULT",
    1,
    /HTTP 502/,
    /in a while/,
    byHttp(answer("502 Bad Gateway", "<html>", html)),
  ),
  fault(
    "an OAuth error",
    "TOKEN_ENDPOINT",
    1,
    /invalid_grant: too old \(request req-1\)/,
    /codex-login/,
    byHttp(answer("400 No", '{"error":"invalid_grant","error_description":"too old"}', {
      "x-request-id": "req-1",
    })),
  ),
  fault(
    "bad JSON",
    "TOKEN_RESPONSE_INVALID",
    1,
    /./,
    /codex-login/,
    byHttp(answer("200 OK", "{")),
  ),
  fault(
    "wrong shape",
    "TOKEN_RESPONSE_INVALID",
    1,
    /"id_token" is missing/,
    /codex-login/,
    byHttp(answer("200 OK", "{}")),
  ),
];

const byNames =
  (address: string, says: "nothing" | "no such name"): Prepare => async (network, home) => {
    await network.listenForNames(address, says);
    const path = join(home.path, "resolv.conf");
    await writeFile(path, `nameserver ${address}\n`);
    const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
    const wrapper = ["unshare", "-m", "sh", "-c", script, path];
    return { url: "https://issuer.test", options: { wrapper } };
  };

const NEEDING_ROOT: readonly Fault[] = [
  fault(
    "name servers that are silent",
    "DNS_TIMEOUT",
    5,
    /name servers gave no answer/,
    RETRY,
    byNames("127.0.0.53", "nothing"),
  ),
  fault(
    "no such name",
    "DNS",
    5,
    /no address was found/,
    RETRY,
    byNames("127.0.0.54", "no such name"),
  ),
];

const DROPPED = fault(
  "dropped packets",
  "CONNECT_TIMEOUT",
  5,
  /no connection in time/,
  RETRY,
  async (network) => ({ url: `https://127.0.0.1:${await network.droppedPort()}` }),
);

/** Signs in at what is faulty: the browser's part is done by hand, so that only the exchange is left. */
async function signIn({ name, code, exit, cause, hint, prepare }: Fault): Promise<void> {
  await using network = new FaultyNetwork();
  await using home = await createHome();
  const { url, options } = await prepare(network, home);
  await using program = startLogin(home, { url }, [], options);
  const authUrl = new URL(await program.authUrl());
  const callback = new URL(authUrl.searchParams.get("redirect_uri") ?? "");
  const state = authUrl.searchParams.get("state") ?? "";
  callback.search = String(new URLSearchParams({ code: CODE, state }));
  const page = await get(callback.href);
  const { exitCode, stderr, stdout } = await program.ended;
  const told = `${name}:\n${stderr}`;
  assert.match(stderr, new RegExp(`^error\\[${code}\\]: `, "m"), told);
  assert.match(/^ +cause: (.*)$/m.exec(stderr)?.[1] ?? "", cause, told);
  assert.match(/^ +try: (.*)$/m.exec(stderr)?.[1] ?? "", hint, told);
  assert.equal(exitCode, exit, told);
  assert.ok(page.status >= 400 && page.body.includes(code), told);
  assert.ok(!(await home.list()).includes("auth.json"), told);
  const log = await home.textOutsideAuth();
  assert.match(log, new RegExp(`code=${code}\\b`), told);
  for (const text of [stderr.replace(authUrl.href, ""), stdout, log, page.body]) {
    for (const secret of [CODE, state, PASSWORD]) {
      for (const form of [secret, Buffer.from(`me:${secret}`).toString("base64")]) {
        assert.ok(!text.includes(form), `${told}\na secret leaked`);
      }
    }
  }
}

const isRoot = missingNamespaces("-m") === false;

verifies(
  ["S29", "S30", "S32", "S33", "S36"],
  `${SUBJECT}: every fault of the network and of the issuer has its code, cause and next step`,
  PATIENT,
  async () => {
    const hasPerl = spawnSync("perl", ["-MSocket", "-e", "1"]).status === 0;
    const queue = [
      // The longest first: all of them wait at the same time.
      ...(isRoot ? NEEDING_ROOT : []),
      ...(hasPerl && process.platform === "linux" ? [DROPPED] : []),
      ...FAULTS,
    ];
    const failures: string[] = [];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        await signIn(next).catch((thrown) => failures.push(`${next?.name}: ${thrown.message}`));
      }
    };
    await Promise.all(Array.from({ length: 6 }, work));
    assert.equal(failures.join("\n\n"), "");
  },
);

verifies(
  "S34",
  `${SUBJECT}: a proxy or a file of certificates that cannot be used stops it before a browser opens`,
  PATIENT,
  async () => {
    await using home = await createHome();
    for (
      const [env, code, words] of [
        [{ ALL_PROXY: `socks5://me:${PASSWORD}@h:1` }, "PROXY_UNSUPPORTED", /ALL_PROXY/],
        [{ https_proxy: `http://me:${PASSWORD}@h:1/x` }, "PROXY_INVALID", /https_proxy/],
        [{ SSL_CERT_FILE: "/nowhere/ca.pem" }, "CA_FILE", /SSL_CERT_FILE[^]*\/nowhere\/ca\.pem/],
      ] as const
    ) {
      const args = ["login", "--no-browser", "--port", "0", "--issuer", "https://issuer.test"];
      const { exitCode, stderr } = await runProgram(home, args, { env: { ...env } });
      assert.match(stderr, new RegExp(`^error\\[${code}\\]: `, "m"));
      assert.match(stderr, words);
      assert.ok(!stderr.includes("/oauth/authorize") && !stderr.includes(PASSWORD));
      assert.equal(exitCode, 2);
    }
  },
);

test(
  `${SUBJECT}: doctor goes the way of a sign-in, by the proxy, and looks at the direct one beside it`,
  PATIENT,
  async () => {
    await using network = new FaultyNetwork();
    await using home = await createHome();
    const port = await network.listenTls("issuer", answer("200 OK", "{}"));
    const proxy = await network.listenAsProxy(port);
    const args = ["doctor", "--json", "--issuer", "https://issuer.test"];
    const env = { HTTPS_PROXY: `http://me:${PASSWORD}@127.0.0.1:${proxy}` };
    const seen = await runProgram(home, args, {
      env: { ...env, CODEX_CA_CERTIFICATE: FAULTS_CA },
    });
    assert.ok(!`${seen.stdout}${seen.stderr}`.includes(PASSWORD));
    const { checks } = JSON.parse(seen.stdout) as {
      checks: { id: string; status: string; measured: string }[];
    };
    const status = (id: string): string | undefined => checks.find((one) => one.id === id)?.status;
    assert.deepEqual(
      ["issuer.dns", "issuer.tcp", "issuer.tls", "issuer.http", "direct.dns"].map(status),
      ["ok", "ok", "ok", "ok", "skip"],
      seen.stdout,
    );
    // Named in the home's .env it is the same.
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await writeFile(join(home.path, ".env"), lines.join("\n"));
    const again = await runProgram(home, args, { env: { CODEX_CA_CERTIFICATE: FAULTS_CA } });
    assert.match(again.stdout, /a tunnel to issuer\.test:443/);
    assert.ok(!`${again.stdout}${again.stderr}`.includes(PASSWORD));
    await rm(join(home.path, ".env"));
    const refused = await runProgram(home, args, { env: { ALL_PROXY: "socks5://h:1" } });
    assert.match(refused.stdout, /"id":\s*"issuer\.proxy",\s*"status":\s*"fail"/);
    assert.equal(refused.exitCode, 1);
  },
);
