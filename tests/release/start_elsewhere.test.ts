import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { startOf } from "../../tools/release/start_elsewhere.ts";
import { executablePath, TARGETS } from "../../tools/release/targets.ts";
import { createHome } from "../testing/home.ts";

test("every target is started, or it is said why it is not", async () => {
  await using home = await createHome();
  for (const target of TARGETS) {
    const start = startOf(target, join(home.path, "it's here"));
    if ("skip" in start) {
      assert.match(start.skip, /nothing here starts|not installed|missing|libstdc|no Linux/);
      continue;
    }
    if (start.by === "itself") assert.ok(start.program.endsWith(executablePath(target)));
    // A script that the shell can read, whatever the folder is called.
    else assert.equal(spawnSync("sh", ["-n", start.program]).status, 0);
  }
});
