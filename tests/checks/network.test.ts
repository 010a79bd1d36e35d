import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import type { Check, Finding } from "../../src/checks/check.ts";
import { issuerChecks } from "../../src/checks/issuer.ts";
import { loopbackChecks } from "../../src/checks/loopback.ts";
import { portChecks } from "../../src/checks/ports.ts";
import { directRoute } from "../../src/hops.ts";
import { listen } from "../../src/listener.ts";
import { assertFinding, examine, findingOf } from "../testing/examined.ts";
import { createHome } from "../testing/home.ts";
import { startIssuer } from "../testing/issuer.ts";
import { occupy } from "../testing/occupant.ts";
import { CA_PATH, TLS, trustingFetch } from "../testing/tls.ts";
import { createWorld, type TestWorld } from "../testing/world.ts";

const NOWHERE = { path: "/nonexistent" };

test("ports that are free are told so, and are free again", async () => {
  const { world, ...rest } = await examine(NOWHERE);
  const checks = portChecks({ world, ...rest });
  for (const id of ["port.1455", "port.1457"]) {
    assertFinding(await findingOf(checks, id), "ok", /free on 127/);
  }
  await using occupant = await occupy(1455);
  assert.equal(occupant.port, 1455);
});

test("who holds a port is told, and is sent nothing; without any port nobody can sign in", async () => {
  await using first = await occupy(1455);
  const ask = async (): Promise<Finding[]> => {
    const checks = portChecks(await examine(NOWHERE));
    return await Promise.all(checks.map(({ id }) => findingOf(checks, id)));
  };
  const [busy, free] = await ask() as [Finding, Finding];
  assertFinding(busy, "warn", /held by \S.*\(process \d+\)|held by a program/, /--port N/);
  assertFinding(free, "ok");
  await using second = await occupy(1457);
  const [, both] = await ask() as [Finding, Finding];
  assertFinding(both, "fail", /not free: held by/);
  assert.equal(first.connections + second.connections, 0);
});

test("a port that is taken on ::1 only is told", async () => {
  const occupant = await occupy(1455, "::1").catch(() => undefined);
  if (!occupant) return;
  await using _ = occupant;
  const checks = portChecks(await examine(NOWHERE));
  assertFinding(await findingOf(checks, "port.1455"), "warn", /not on ::1/);
});

test("a sign-in of ours on the port is no trouble", async () => {
  await using home = await createHome();
  const changes = { env: { XDG_RUNTIME_DIR: home.path } };
  const world = await createWorld(changes);
  const handler = (): Response => new Response();
  const listener = await listen(world, { port: 1455, redirectHost: "127.0.0.1", handler });
  try {
    const checks = portChecks(await examine(home, changes));
    assertFinding(await findingOf(checks, "port.1455"), "ok", /codex-login .*gives way/);
  } finally {
    await listener.close(0);
  }
});

test("the loopback self-test hears itself, and notices what does not work", async () => {
  const { world, ...rest } = await examine(NOWHERE);
  const ask = async (id: string, changes: Partial<TestWorld> = {}): Promise<Finding> =>
    await findingOf(loopbackChecks({ world: { ...world, ...changes }, ...rest }), id);
  assertFinding(await ask("loopback.ipv4"), "ok", /127\.0\.0\.1 works/);
  assertFinding(await ask("loopback.name"), "ok", /localhost is /);
  const fetch = (): Promise<Response> => Promise.resolve(new Response("another's"));
  assertFinding(
    await ask("loopback.ipv4", { fetch }),
    "fail",
    /somebody else's answer/,
    /--device-auth/,
  );
  const { LoginError } = await import("../../src/errors.ts");
  const refused = (): Promise<Response> =>
    Promise.reject(new LoginError("CONNECT_REFUSED", "no", { reason: "refused" }));
  assertFinding(await ask("loopback.ipv4", { fetch: refused }), "fail", /refused/);
  const runtime = {
    ...world.runtime,
    serve: () => Promise.reject(Object.assign(new Error(), { code: "EAFNOSUPPORT" })),
  };
  assertFinding(await ask("loopback.ipv6", { runtime }), "skip", /there is no ::1/);
  const forbidden = {
    ...world.runtime,
    serve: () => Promise.reject(Object.assign(new Error(), { code: "EACCES" })),
  };
  assertFinding(
    await ask("loopback.ipv4", { runtime: forbidden }),
    "fail",
    /cannot listen.*EACCES/,
  );
  assertFinding(await ask("loopback.ipv6", { runtime: forbidden }), "warn", /EACCES/);
});

const HOPS = ["dns", "tcp", "tls", "http", "clock"];

/** Every hop as it is, though the one before may have failed. */
async function hopsOf(checks: readonly Check[]): Promise<Record<string, Finding>> {
  const found: Record<string, Finding> = {};
  for (const hop of HOPS) found[hop] = await findingOf(checks, `issuer.${hop}`);
  return found;
}

function finding(found: Record<string, Finding>, hop: string): Finding {
  return found[hop] as Finding;
}

test("each hop to an issuer that is well is told: address, connection, certificate, answer, clock", async () => {
  await using issuer = await startIssuer({ tls: TLS });
  const world = await createWorld();
  const ca = readFileSync(CA_PATH, "utf8");
  const route = { ...directRoute(trustingFetch), ca };
  const found = await hopsOf(
    issuerChecks(world, { prefix: "issuer", base: issuer.url, userAgent: "test" }, route),
  );
  assertFinding(finding(found, "dns"), "ok", /localhost is .*127\.0\.0\.1/);
  assertFinding(finding(found, "tcp"), "ok", /connected to localhost:\d+/);
  assertFinding(
    finding(found, "tls"),
    "ok",
    /TLSv1\.[23], certificate by codex-login test CA, valid until 2126/,
  );
  assertFinding(finding(found, "http"), "ok", /status \d+ in \d+ ms/);
  assertFinding(finding(found, "clock"), "ok", /\d+ s off/);
  const [request] = issuer.requests;
  assert.equal(issuer.requests.length, 1);
  assert.ok(!/authorization|cookie/i.test(request?.rawHeaders.join(" ") ?? ""));
});

test("a certificate that is not accepted is told with who made it, and why", async () => {
  await using issuer = await startIssuer({ tls: TLS });
  const world = await createWorld();
  const ca = readFileSync(CA_PATH, "utf8");
  const tls = async (base: string, route: { ca?: string }, now = Date.now()): Promise<Finding> => {
    const own = { ...directRoute(trustingFetch), ...route };
    return await findingOf(
      issuerChecks(
        { ...world, now: () => now },
        { prefix: "issuer", base, userAgent: "test" },
        own,
      ),
      "issuer.tls",
    );
  };
  assertFinding(
    await tls(issuer.url, {}),
    "fail",
    /by codex-login test CA.*is not accepted/,
    /NODE_EXTRA_CA_CERTS=FILE/,
  );
  const other = issuer.url.replace("localhost", "127.0.0.2");
  const hasOther = await new Promise<boolean>((resolve) => {
    const socket = connect(Number(new URL(issuer.url).port), "127.0.0.1", () => resolve(true));
    socket.once("close", () => resolve(false));
    socket.end();
  });
  assert.ok(hasOther);
  const named = { ...directRoute(trustingFetch), ca, connect: directTo("127.0.0.1") };
  const wrong = await findingOf(
    issuerChecks(world, { prefix: "issuer", base: other, userAgent: "test" }, named),
    "issuer.tls",
  );
  assertFinding(wrong, "fail", /ALTNAME/, /a certificate for 127\.0\.0\.2/);
  assertFinding(
    await tls(issuer.url, {}, Date.UTC(2200, 0)),
    "fail",
    /clock says 2200-/,
    /set the clock right/,
  );
  assertFinding(await tls(issuer.url, {}, Date.UTC(1990, 0)), "fail", /clock says 1990-/);
  assert.equal(issuer.requests.length, 0);
});

/** Everything goes to this address, whatever its name. */
function directTo(host: string): ReturnType<typeof directRoute>["connect"] {
  const { connect: direct } = directRoute(trustingFetch);
  return (target, signal) => direct({ ...target, host }, signal);
}

test("what fails on the way is told by its hop", async () => {
  const world = await createWorld();
  const ask = async (base: string, hop: string): Promise<Finding> =>
    await findingOf(
      issuerChecks(world, { prefix: "issuer", base, userAgent: "test" }, directRoute(world.fetch)),
      `issuer.${hop}`,
    );
  assertFinding(
    await ask("https://no-such-name.invalid", "dns"),
    "fail",
    /no address was found|name servers gave no answer/,
  );
  assertFinding(await ask("https://127.0.0.1:9", "dns"), "ok", /an address itself/);
  assertFinding(await ask("https://127.0.0.1:9", "tcp"), "fail", /127\.0\.0\.1:9: .*ECONNREFUSED/);
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  assertFinding(await ask(`https://127.0.0.1:${port}`, "tls"), "fail", /127\.0\.0\.1/);
  server.close();
});

test("what the issuer answers is judged by its status and its form", async () => {
  let answer: { status: number; headers: Record<string, string> } = { status: 200, headers: {} };
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end("<html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const world = await createWorld();
  const ask = async (
    status: number,
    headers: Record<string, string> = {},
  ): Promise<Record<string, Finding>> => {
    answer = { status, headers };
    return await hopsOf(
      issuerChecks(world, { prefix: "issuer", base, userAgent: "test" }, directRoute(world.fetch)),
    );
  };
  const html = { "content-type": "text/html" };
  assertFinding(finding(await ask(200), "tls"), "skip", /speaks http/);
  for (
    const [status, headers, wanted, pattern] of [
      [200, { "content-type": "application/json" }, "ok", /status 200/],
      [404, html, "ok", /status 404/],
      [200, html, "warn", /a page/],
      [302, { location: "https://portal.test/x?secret=1" }, "warn", /leads to portal\.test,? ?/],
      [403, { "cf-mitigated": "challenge" }, "warn", /a challenge for browsers/],
      [407, {}, "fail", /HTTPS_PROXY/],
      [429, {}, "warn", /wait/],
      [503, html, "fail", /503/],
    ] as const
  ) assertFinding(finding(await ask(status, headers), "http"), wanted, pattern);
  const hour = (sign: number): Record<string, string> => ({
    date: new Date(Date.now() + sign * 3_600_000).toUTCString(),
  });
  assertFinding(
    finding(await ask(200, hour(1)), "clock"),
    "warn",
    /60 min behind|1 hour.* behind/,
    /timedatectl/,
  );
  assertFinding(finding(await ask(200, hour(-1)), "clock"), "warn", /ahead of/);
  assertFinding(finding(await ask(200, { date: "nonsense" }), "clock"), "skip");
  server.close();
});
