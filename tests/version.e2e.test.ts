import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createHome } from "./testing/home.ts";
import { answer, CLOSED_PORT, FaultyNetwork, REGISTRY_CA } from "./testing/network_faults.ts";
import { runProgram, SUBJECT } from "./testing/program.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 120_000 };
const ADDRESS = "registry.npmjs.org:443";

verifies(
  "S72",
  `${SUBJECT}: version --check, and nothing else, asks the npm registry, over the proxy and with the CA of everything else`,
  SLOW,
  async () => {
    await using network = new FaultyNetwork();
    await using home = await createHome();
    const requests: string[] = [];
    const tunnels: string[] = [];
    const port = await network.listenTls("registry", (socket, request) => {
      requests.push(request);
      answer("200 OK", JSON.stringify({ name: "codex-login", version: "999.0.0" }))(
        socket,
        request,
      );
    });
    const proxy = `http://127.0.0.1:${await network.listenAsProxy(port, tunnels)}`;
    const env = { HTTPS_PROXY: proxy, CODEX_CA_CERTIFICATE: REGISTRY_CA };

    for (const args of [["version"], ["--version"], ["version", "--json"], ["help", "version"]]) {
      assert.equal((await runProgram(home, args, { env })).exitCode, 0);
    }
    assert.equal(tunnels.length, 0);

    const told = await runProgram(home, ["version", "--check"], { env });
    assert.equal(told.exitCode, 0, told.stderr);
    assert.match(told.stdout, /^codex-login 999\.0\.0 is out; this is .+\nTo update: .+\n$/);
    assert.equal(told.stderr, "");
    const led = tunnels.map((request) => request.split("\r\n")[0]);
    assert.deepEqual(led, [`CONNECT ${ADDRESS} HTTP/1.1`]);
    assert.match(requests[0] ?? "", /^GET \/codex-login\/latest HTTP\/1\.1\r\n/);
    assert.doesNotMatch(requests.join(), /authorization|cookie/i);

    // What stands in $CODEX_HOME/.env counts here too.
    await writeFile(
      join(home.path, ".env"),
      `HTTPS_PROXY=${proxy}\nCODEX_CA_CERTIFICATE=${REGISTRY_CA}\n`,
    );
    const asked = await runProgram(home, ["version", "--check", "--json"]);
    assert.equal(JSON.parse(asked.stdout).latest, "999.0.0", asked.stderr);
    assert.deepEqual([tunnels.length, requests.length], [2, 2]);
    assert.deepEqual(await home.list(), [".env"]);
  },
);

test(`${SUBJECT}: whoever is not trusted, or not there, is told, and exits 5`, SLOW, async () => {
  await using network = new FaultyNetwork();
  await using home = await createHome();
  const port = await network.listenTls("registry", answer("200 OK", "{}"));
  const untrusted = `http://127.0.0.1:${await network.listenAsProxy(port)}`;
  const rows: [env: Record<string, string>, code: string][] = [
    [{ HTTPS_PROXY: untrusted }, "TLS_UNTRUSTED"],
    [{ HTTPS_PROXY: untrusted, CODEX_CA_CERTIFICATE: REGISTRY_CA }, "NETWORK"],
    [{ HTTPS_PROXY: `http://127.0.0.1:${CLOSED_PORT}` }, "PROXY_UNREACHABLE"],
  ];
  for (const [env, code] of rows) {
    const { exitCode, stdout, stderr } = await runProgram(home, ["version", "--check", "--json"], {
      env,
    });
    assert.equal(exitCode, 5, stderr);
    assert.equal(JSON.parse(stdout).error.code, code);
    assert.ok(!/\bissuer\b/.test(stderr.split("\n")[0] ?? ""), stderr);
  }
});
