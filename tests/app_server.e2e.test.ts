import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startAppServer } from "./testing/app_server_run.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { SUBJECT } from "./testing/program.ts";
import { runTranscript, type Transcript } from "./testing/transcript.ts";

const SLOW = { timeout: 60_000 };
const FOLDER = fileURLToPath(new URL("vectors/app_server/", import.meta.url));

for (const file of readdirSync(FOLDER)) {
  const transcript: Transcript = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
  test(`${SUBJECT}: app-server, ${file}: ${transcript.what}`, SLOW, async () => {
    const { args = [], config = "", steps, stores = false } = transcript;
    await using issuer = await startIssuer();
    await using home = await createHome();
    await writeFile(join(home.path, "config.toml"), config.replaceAll("$issuer", issuer.url));
    await using run = startAppServer(home, issuer, args);
    await runTranscript(run, issuer, home.path, steps);
    const { exitCode, rest } = await run.end();
    assert.equal(exitCode, 0, run.program.stderr());
    assert.deepEqual(rest, []);
    assert.equal((await home.list()).includes("auth.json"), stores);
    const lines = run.program.stdout().split("\n").filter((line) => !line.includes("authToken"));
    assertNoSecrets(lines.join("\n").replaceAll(/"authUrl":"[^"]*"/g, ""), issuer);
    assertNoSecrets(run.program.stderr() + await home.textOutsideAuth(), issuer);
    assert.ok(!run.program.stderr().includes("sk-"));
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

test(
  `${SUBJECT}: the end of stdin ends the sign-in, frees the port, and is a success`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = startAppServer(home, issuer);
    await run.initialize();
    const { result } = await run.ask(1, "account/login/start", { type: "chatgpt" });
    const { authUrl, loginId } = result as Record<string, string>;
    const port = Number(
      new URL(new URL(authUrl ?? "").searchParams.get("redirect_uri") ?? "").port,
    );
    assert.ok(await isOpen(port));
    const { exitCode, rest } = await run.end();
    assert.equal(exitCode, 0);
    assert.deepEqual(rest.map(({ method, params }) => [method, params as typeof result]), [[
      "account/login/completed",
      {
        loginId,
        success: false,
        error: "The sign-in was cancelled: stdin ended (CANCELED)",
        onboardingEntrypoint: null,
      },
    ]]);
    assert.ok(!await isOpen(port));
    assert.ok(!(await home.list()).includes("auth.json"));
  },
);
