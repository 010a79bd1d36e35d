import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { launch, STILL_RUNNING } from "../src/launch.ts";
import { sleep } from "../src/system_world.ts";
import { createHome } from "./testing/home.ts";
import { until } from "./testing/until.ts";
import { verifies } from "./testing/verifies.ts";

async function script(folder: string, name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

verifies(
  "S66",
  "launch() starts a program with the address as one argument and no shell",
  async () => {
    await using home = await createHome();
    const seen = join(home.path, "seen");
    const program = await script(
      home.path,
      "browser",
      `printf '%s\\n' "$#" "$1" > "${seen}.part"; mv "${seen}.part" "${seen}"`,
    );
    const url = "https://issuer.test/?a=b&c=$(touch x);`id`'\"";
    assert.equal(await launch([program, url]), undefined);
    for (let i = 0; i < 500 && !(await readFile(seen, "utf8").catch(() => "")); i++) {
      await sleep(
        10,
      );
    }
    assert.equal(await readFile(seen, "utf8"), `1\n${url}\n`);
  },
);

test("launch() tells a program that is missing, that fails, and that is killed", async () => {
  await using home = await createHome();
  assert.equal(await launch(["codex-login-no-such-program"]), "not found");
  assert.equal(await launch([await script(home.path, "three", "exit 3")]), "ended with 3");
  assert.equal(
    await launch([await script(home.path, "killed", "kill -9 $$")]),
    "ended with SIGKILL",
  );
  const plain = join(home.path, "plain");
  await writeFile(plain, "not a program");
  assert.equal(await launch([plain]), "permission denied (EACCES)");
});

test("launch() does not wait for a browser that goes on running", async () => {
  await using home = await createHome();
  const pid = join(home.path, "pid");
  const program = await script(
    home.path,
    "stays",
    `echo $$ > "${pid}.part"; mv "${pid}.part" "${pid}"; exec sleep 30`,
  );
  assert.equal(await launch([program]), STILL_RUNNING);
  await until("it runs", () => existsSync(pid));
  process.kill(Number(await readFile(pid, "utf8")), "SIGKILL");
});

test("launch() never rejects, whatever it is told to start", async () => {
  for (const command of [[], [""], ["\0"], ["/"], ["/dev/null"]]) {
    assert.equal(typeof await launch(command), "string", JSON.stringify(command));
  }
});

verifies("S62", "launch() hands on no secret of our environment, and takes no output", async () => {
  await using home = await createHome();
  const seen = join(home.path, "seen");
  const program = await script(
    home.path,
    "prints",
    `head -c 300000 /dev/zero; env > "${seen}.part"; mv "${seen}.part" "${seen}"`,
  );
  const secrets = {
    CODEX_ACCESS_TOKEN: "canary-1",
    OPENAI_API_KEY: "canary-2",
    DB_PASSWORD: "canary-3",
  };
  Object.assign(process.env, secrets, { CODEX_LOGIN_MARK: "kept" });
  try {
    assert.equal(await launch([program, "https://x.test"]), undefined);
  } finally {
    for (const name of [...Object.keys(secrets), "CODEX_LOGIN_MARK"]) delete process.env[name];
  }
  const env = await readFile(seen, "utf8");
  assert.match(env, /^CODEX_LOGIN_MARK=kept$/m);
  assert.ok(!env.includes("canary"), env);
});
