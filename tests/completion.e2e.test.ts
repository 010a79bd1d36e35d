import assert from "node:assert/strict";
import { test } from "node:test";
import { SHELLS } from "../src/commands/completion.ts";
import { COMMANDS } from "../src/commands/table.ts";
import { createHome } from "./testing/home.ts";
import { runProgram, SUBJECT } from "./testing/program.ts";

test(`${SUBJECT}: completion prints the script, whole and alone, and writes nothing`, async () => {
  await using home = await createHome();
  for (const [shell, script] of Object.entries(SHELLS)) {
    const { exitCode, stdout, stderr } = await runProgram(home, ["completion", shell]);
    assert.deepEqual([exitCode, stderr], [0, ""], shell);
    assert.equal(stdout, script(COMMANDS), shell);
  }
  const { exitCode, stdout, stderr } = await runProgram(home, ["completion", "tcsh"]);
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.match(stderr, /error\[USAGE\]: .*bash, zsh, fish, powershell/);
  assert.deepEqual(await home.list(), []);
});
