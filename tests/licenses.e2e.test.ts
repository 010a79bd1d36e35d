import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { BUNDLED_PACKAGES, collectLicences, EXECUTABLE_PACKAGES } from "../src/licence_sources.ts";
import { createHome } from "./testing/home.ts";
import { programEnvironment, ROOT, runProgram, startProgram, SUBJECT } from "./testing/program.ts";

/** In the npm package there is neither Bun nor the keyring's native code. */
const packages = SUBJECT === "bundle"
  ? BUNDLED_PACKAGES
  : [...BUNDLED_PACKAGES, ...EXECUTABLE_PACKAGES];

test(`${SUBJECT}: licenses prints the licence of everything that is in it, wherever it is asked`, async () => {
  await using home = await createHome();
  const { exitCode, stdout, stderr } = await runProgram(home, ["licenses"], { cwd: home.path });
  assert.equal(exitCode, 0, stderr);
  assert.equal(stderr, "");
  assert.equal(stdout, collectLicences(packages));
  for (const name of packages) {
    const { version } = JSON.parse(
      readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8"),
    );
    assert.match(stdout, new RegExp(`^  ${name} ${version}  \\S+$`, "m"));
  }
  const has = SUBJECT !== "bundle";
  for (const words of ["GNU LIBRARY GENERAL PUBLIC LICENSE", "https://github.com/oven-sh/WebKit"]) {
    assert.equal(stdout.includes(words), has, words);
  }
  assert.ok(stdout.includes("Apache License"));
  assert.ok(!stdout.includes(ROOT));
});

test(`${SUBJECT}: whoever has read enough of the licences ends it without a word`, async () => {
  await using home = await createHome();
  await using program = startProgram(home, ["licenses"]);
  const { stdout } = program.child;
  stdout?.once("data", () => stdout.destroy());
  const { exitCode, stderr } = await program.ended;
  assert.deepEqual([exitCode, stderr], [0, ""]);
});

test(`${SUBJECT}: taken alone out of its package it says which file is missing`, {
  skip: SUBJECT !== "bundle" && "the others are one file, or a clone",
}, async () => {
  await using home = await createHome();
  await using elsewhere = await createHome();
  const copy = join(elsewhere.path, "cli.js");
  await copyFile(join(ROOT, "dist/cli.js"), copy);
  for (const [command, file] of [["licenses", "licenses.txt"], ["mcp-server", "mcp_sdk.js"]]) {
    const { status, stdout, stderr } = spawnSync("node", [copy, command ?? ""], {
      env: programEnvironment(home),
      cwd: home.path,
      input: "",
      encoding: "utf8",
    });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^error\\[USAGE\\]: ${file} is missing`));
  }
});

test("the texts are those of the packages, each once", () => {
  const all = collectLicences([...BUNDLED_PACKAGES, ...EXECUTABLE_PACKAGES]);
  for (const name of BUNDLED_PACKAGES) {
    const folder = join(ROOT, "node_modules", name);
    const file = ["LICENSE", "LICENSE.md", "license"].find((one) => existsSync(join(folder, one)));
    const text = readFileSync(join(folder, file ?? ""), "utf8").replaceAll("\r\n", "\n").trimEnd();
    assert.equal(all.split(`\n${text}\n`).length, 2, name);
  }
  assert.throws(() => collectLicences(["@types/node", "no-such-package"]), /no-such-package/);
});

test("the bill of materials and the licences name the same packages", {
  skip: SUBJECT === "source" && "only for what is built",
}, () => {
  const bill = JSON.parse(readFileSync(join(ROOT, "dist/codex-login.cdx.json"), "utf8"));
  const named = bill.components.map(({ name }: { name: string }) => name)
    // One for each platform; its texts stand with the package that chooses it.
    .filter((name: string) => !/^@napi-rs\/keyring-/.test(name));
  assert.deepEqual(named.sort(), [...BUNDLED_PACKAGES, ...EXECUTABLE_PACKAGES].sort());
});
