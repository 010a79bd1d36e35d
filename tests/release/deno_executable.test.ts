import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileByDeno } from "../../tools/release/deno_executable.ts";
import { createHome } from "../testing/home.ts";
import { ROOT } from "../testing/program.ts";

const LINUX = {
  skip: process.platform === "linux" ? false : "an ELF program stands for Deno's runtime",
};

test("without Deno's runtime nothing is compiled with it, and that is said in one line", () => {
  const told = compileByDeno("dist/none", "");
  assert.match(told, /^dist\/none: not made, .*DENORT_BIN.*$/);
  assert.ok(!existsSync("dist/none"));
});

test(
  "with it the program has the permissions of a login, and asks for no others",
  LINUX,
  async () => {
    await using home = await createHome();
    const [runtime, file] = [join(home.path, "denort"), join(home.path, "codex-login")];
    copyFileSync("/bin/true", runtime);
    const bundle = join(home.path, "dist");
    mkdirSync(bundle);
    for (const name of ["cli.js", "mcp_sdk.js"]) {
      writeFileSync(join(bundle, name), "export {};\n");
    }
    assert.match(compileByDeno(file, runtime, bundle), /executable on Deno's runtime/);
    // What Deno appends to its runtime tells what the program may do.
    const text = readFileSync(file).toString("latin1");
    const [, found = ""] = /"permissions":(\{.*?\}),"location"/.exec(text) ?? [];
    const compiled = JSON.parse(found);
    const { permissions } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
    const { read, write, net, env, run, sys } = permissions.login;
    assert.deepEqual([read, write, net, env, run], [true, true, true, true, true]);
    for (const name of ["read", "write", "net", "env", "run"]) {
      // An empty list is everything; null is nothing.
      assert.deepEqual(compiled[`allow_${name}`], [], name);
    }
    assert.deepEqual(compiled.allow_sys, sys);
    assert.deepEqual([compiled.allow_ffi, compiled.deny_import], [null, []]);
    assert.equal(compiled.prompt, false);
    assert.ok(!text.includes(home.path));
    assert.throws(() => compileByDeno(file, runtime, join(home.path, "none")), /none/);
  },
);
