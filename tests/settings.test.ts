import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import { readSettings } from "../src/settings.ts";
import { createHome } from "./testing/home.ts";

test("readSettings() lets each source win over the one before: system, home, -c, managed", async () => {
  await using home = await createHome();
  const system = join(home.path, "etc");
  await mkdir(system);
  const all = ["a", "b", "c", "d"];
  const toml = (from: number, value: string): string =>
    all.slice(from).map((key) => `${key} = "${value}"\n`).join("");
  await writeFile(join(system, "config.toml"), toml(0, "system"));
  await writeFile(join(home.path, "config.toml"), toml(1, "home"));
  await writeFile(join(system, "managed_config.toml"), toml(3, "managed"));
  const settings = await readSettings(home.path, ["c=override", "d=override"], system);
  assert.deepEqual([...settings].map(([name, setting]) => [name, setting.value, setting.source]), [
    ["a", "system", join(system, "config.toml")],
    ["b", "home", join(home.path, "config.toml")],
    ["c", "override", "-c"],
    ["d", "managed", join(system, "managed_config.toml")],
  ]);
});

test("readSettings() takes the value of -c for TOML, and else for a plain word", async () => {
  const rows: [string, unknown][] = [
    ["k=true", true],
    ["k=5", 5n],
    ['k=["a","b"]', ["a", "b"]],
    ['k="quoted"', "quoted"],
    ["k = plain ", "plain"],
    ['k="half', "half"],
    ["k=", ""],
    ["k=a=b", "a=b"],
    ["k=1\nother=2", "1\nother=2"],
    ["k='it's'\"'", "it's"],
  ];
  for (const [override, value] of rows) {
    const settings = await readSettings("/nowhere", [override], "/nowhere");
    assert.deepEqual([...settings.keys()], ["k"]);
    assert.equal(
      JSON.stringify(settings.get("k")?.value, plain),
      JSON.stringify(value, plain),
      override,
    );
  }
});

test("readSettings() takes a name that objects have anyway for one like any other", async () => {
  const settings = await readSettings("/nowhere", ["__proto__=x", "constructor=y"], "/nowhere");
  assert.deepEqual([...settings.keys()], ["__proto__", "constructor"]);
});

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

test("readSettings() names file, line and column of what is no TOML, and shows none of it", async () => {
  await using home = await createHome();
  const path = join(home.path, "config.toml");
  await writeFile(path, 'a = 1\nkey = = "secret"\n');
  await assert.rejects(readSettings(home.path, [], "/nowhere"), (error: LoginError) => {
    assert.equal(error.code, "CONFIG");
    assert.ok(error.message.includes(path));
    assert.match(error.reason ?? "", /^line 2, column 7/);
    return !`${error.message}${error.reason}`.includes("secret");
  });
});

test("readSettings() does not wait for a FIFO, and refuses folders and giants", async () => {
  const makes: ((path: string) => unknown)[] = [
    (path) => execFileSync("mkfifo", [path]),
    (path) => mkdir(path),
    (path) => writeFile(path, "#".repeat((1 << 20) + 1)),
  ];
  for (const make of makes) {
    await using home = await createHome();
    await make(join(home.path, "config.toml"));
    await assert.rejects(readSettings(home.path, [], "/nowhere"), { code: "CONFIG", exitCode: 2 });
  }
});

test("readSettings() gives settings or a LoginError, whatever the override is", async () => {
  await fc.assert(fc.asyncProperty(fc.string(), async (override) => {
    try {
      await readSettings("/nowhere", [override], "/nowhere");
    } catch (thrown) {
      assert.ok(thrown instanceof LoginError && thrown.code === "CONFIG");
    }
  }));
});
