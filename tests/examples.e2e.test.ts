import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bunPath } from "../tools/bun_path.ts";
import { denoPath } from "./testing/deno_path.ts";
import { get } from "./testing/http_client.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { programCommand, ROOT, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { ADA } from "./testing/users.ts";

const SOURCE_ONLY = SUBJECT === "source" ? false : "the library is the same";

/** Where a program of somebody else's lies that has the package installed. */
const consumer = await mkdtemp(join(tmpdir(), "codex-login-consumer-"));
after(() => rm(consumer, { recursive: true, force: true }));
await mkdir(join(consumer, "node_modules"));
for (
  const [name, path] of [["codex-login", "."], ["hono", "node_modules/hono"], [
    "@hono",
    "node_modules/@hono",
  ]]
) {
  await symlink(join(ROOT, path ?? ""), join(consumer, "node_modules", name ?? ""), "dir");
}

/** The command that runs an example, on each runtime. */
const RUNTIMES: Record<string, (name: string) => string[]> = {
  deno: (name) => {
    const config = ["--config", join(ROOT, "deno.json")];
    return [
      denoPath(),
      "run",
      "--quiet",
      "-A",
      "--no-check",
      ...config,
      join(ROOT, "examples", `${name}.ts`),
    ];
  },
  bun: (name) => [bunPath(), join(ROOT, "examples", `${name}.ts`)],
  node: (name) => {
    const built = join(consumer, `${name}.mjs`);
    execFileSync(bunPath(), [
      "build",
      join(ROOT, "examples", `${name}.ts`),
      "--target=node",
      "--packages=external",
      `--outfile=${built}`,
    ], { stdio: "pipe" });
    return ["node", built];
  },
};

async function freePort(): Promise<string> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as { port: number };
  await new Promise((resolve) => socket.close(resolve));
  return String(port);
}

for (const [runtime, command] of Object.entries(RUNTIMES)) {
  test(`one-shot login on ${runtime}`, { skip: SOURCE_ONLY }, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const env = { ISSUER: issuer.url, PORT: "0", NO_BROWSER: "1" };
    await using program = startProgram(home, [], { program: command("one_shot_login"), env });
    const authUrl = await program.authUrl();
    await visit(authUrl);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.ok(stdout.includes(`Signed in as ${ADA.email}; kept in ${home.authPath}.`));
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    assertNoSecrets(stdout.replace(authUrl, "") + stderr, issuer, authUrl);
  });

  test(`one-shot login that is interrupted on ${runtime}`, { skip: SOURCE_ONLY }, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const env = { ISSUER: issuer.url, PORT: "0", NO_BROWSER: "1" };
    await using program = startProgram(home, [], { program: command("one_shot_login"), env });
    await program.authUrl();
    program.kill("SIGINT");
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 1);
    assert.match(stderr, /^CANCELED: /m);
    assert.equal(await home.readAuth().catch(() => undefined), undefined);
  });

  test(`the callback app in a host's own server on ${runtime}`, { skip: SOURCE_ONLY }, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const env = { ISSUER: issuer.url, PORT: await freePort() };
    await using program = startProgram(home, [], { program: command("mount_in_hono"), env });
    const [, url = ""] = await program.shows(/^Open (\S+)$/m);
    assert.match((await get(new URL("/", url).href)).body, /own page/);
    const page = (await visit(url)).at(-1)?.reply;
    assert.equal(page?.status, 200);
    assert.ok(page && !page.body.includes(ADA.email));
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /Signed in as ada@example\.com, with a token until 2\d{3}-/);
    assert.equal(await home.readAuth().catch(() => undefined), undefined);
    assertNoSecrets(stdout + stderr + await home.textOutsideAuth(), issuer);
  });

  test(
    `an agent that gets a token for each request on ${runtime}`,
    { skip: SOURCE_ONLY },
    async () => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const { tokens } = await storeLogin(home, issuer, 3_600);
      const seen: string[] = [];
      const api = createServer((request, reply) => {
        const token = (request.headers.authorization ?? "").replace("Bearer ", "");
        seen.push(token);
        // The first token was ended early.
        reply.writeHead(token === tokens["access_token"] ? 401 : 200);
        request.pipe(reply);
      });
      await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
      try {
        const { port } = api.address() as { port: number };
        const options = {
          program: command("agent_token"),
          env: { API: `http://127.0.0.1:${port}/` },
        };
        const first = await startProgram(home, ["one", "two"], options).ended;
        assert.equal(first.stdout, "one\ntwo\n", first.stderr);
        assert.equal(first.exitCode, 0);
        assert.equal(seen.length, 3);
        assert.equal(seen[1], seen[2]);
        assert.equal(issuer.asked("refresh").length, 1);
        await home.writeAuth("{}");
        const second = await startProgram(home, ["three"], options).ended;
        assert.equal(second.exitCode, 4);
        assert.match(second.stderr, /^NOT_SIGNED_IN: /);
        assertNoSecrets(first.stdout + first.stderr + second.stderr, issuer);
      } finally {
        api.closeAllConnections();
        await new Promise((resolve) => api.close(resolve));
      }
    },
  );

  test(`an editor over app-server on ${runtime}`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    // Whoever is asked about workspaces, it is nobody outside.
    await writeFile(join(home.path, "config.toml"), `chatgpt_base_url = "${issuer.url}"\n`);
    const env = { CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url };
    const program = [...command("editor_app_server"), ...programCommand(), "app-server"];
    await using editor = startProgram(home, [], { program, env });
    const authUrl = await editor.authUrl();
    await visit(authUrl);
    const { exitCode, stdout, stderr } = await editor.ended;
    assert.equal(exitCode, 0, stderr);
    assert.ok(stdout.includes(`Signed in as ${ADA.email} (plan ${ADA.plan}).`), stdout);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    assertNoSecrets(stdout.replace(authUrl, "") + stderr, issuer, authUrl);
  });
}
