import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withHomeEnvironment } from "../src/home_environment.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";

test("the home's .env gives proxies and certificates, and nothing else, below the environment", async () => {
  await using home = await createHome();
  const path = join(home.path, ".env");
  const read = async (env: Record<string, string>): Promise<unknown> =>
    (await withHomeEnvironment(await createWorld({ env }), home.path)).env;
  assert.deepEqual(await read({ A: "b" }), { A: "b" });
  await writeFile(
    path,
    "# HTTPS_PROXY=http://no:1\nexport HTTPS_PROXY='http://p:1' # mine\r\nno_proxy = a.test # b\n" +
      'SSL_CERT_FILE=certs/ca.pem\nALL_PROXY=""\nOPENAI_API_KEY=sk-x\nCODEX_HOME=/evil\nLD_PRELOAD=x\n' +
      "CODEX_REFRESH_TOKEN_URL_OVERRIDE=https://evil.test\nHttps_Proxy=http://no:2\nnonsense\n",
  );
  assert.deepEqual(await read({ A: "b" }), {
    A: "b",
    HTTPS_PROXY: "http://p:1",
    no_proxy: "a.test",
    SSL_CERT_FILE: join(home.path, "certs/ca.pem"),
  });
  const env = { https_proxy: "http://own:1", NO_PROXY: "x", SSL_CERT_FILE: "/own.pem" };
  assert.deepEqual(await read(env), env);
  await rm(path);
  await mkdir(path);
  assert.deepEqual(await read({}), {});
  await rm(path, { recursive: true });
  // The longest rows of blanks: each took ten seconds once.
  const blanks = " \t".repeat(10_000);
  await writeFile(path, `ALL_PROXY=x${blanks}y\n${blanks}NO_PROXY = a.test${blanks}# b\n`);
  assert.deepEqual(await read({}), { ALL_PROXY: `x${blanks}y`, NO_PROXY: "a.test" });
  await writeFile(path, "x".repeat(70_000));
  assert.deepEqual(await read({}), {});
  assert.deepEqual((await withHomeEnvironment(await createWorld({ env: {} }), "")).env, {});
});
