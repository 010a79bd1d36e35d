import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { archiveName, packExecutable, type Release } from "../../tools/release/archives.ts";
import { gzip } from "../../tools/release/gzip.ts";
import { tar } from "../../tools/release/tar.ts";
import { type Target, TARGETS } from "../../tools/release/targets.ts";
import { zip } from "../../tools/release/zip.ts";
import { createHome } from "../testing/home.ts";
import { missingTool } from "../testing/tools.ts";

const RELEASE: Release = {
  version: "1.2.3",
  commit: null,
  modified: new Date("2026-07-08T09:10:12Z"),
};
/** Bytes that deflate to something, of a length that is no multiple of a block's. */
const CONTENT = Buffer.from(
  Array.from({ length: 100_001 }, (_, index) => index * index >> 3 & 0xff),
);

function run(command: string, args: readonly string[], input?: Uint8Array): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "latin1",
    env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    ...(input ? { input } : {}),
  });
  assert.ok(!error, String(error));
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${stderr}`);
  assert.equal(stderr, "");
  return stdout;
}

test("every target has a name of its own, and Windows a zip", () => {
  const names = TARGETS.map((target) => archiveName(RELEASE, target));
  assert.equal(new Set(names).size, 8);
  assert.ok(names.includes("codex-login-1.2.3-aarch64-unknown-linux-musl.tar.gz"));
  assert.ok(names.includes("codex-login-1.2.3-x86_64-pc-windows-msvc.zip"));
});

for (const tool of [["tar"], ["bsdtar"], ["busybox", "tar"]]) {
  test(`${tool.join(" ")} finds one executable in the archive, root's and of the release's time`, {
    skip: missingTool(tool[0] ?? "", "--help"),
  }, async () => {
    await using folder = await createHome();
    const [target] = TARGETS as [Target];
    const executable = join(folder.path, "built");
    await writeFile(executable, CONTENT);
    const { file, size, executable: inside } = packExecutable(
      RELEASE,
      target,
      executable,
      folder.path,
    );
    const archive = join(folder.path, file);
    const packed = await readFile(archive);
    assert.deepEqual([size, inside.size], [packed.length, CONTENT.length]);
    const [command = "", ...before] = tool;
    const listed = run(command, [...before, "-tvzf", archive]);
    assert.match(
      listed,
      /^-rwxr-xr-x +(0 )?root[/ ]+root +100001 (2026-07-08 09:10(:12)?|Jul +8 +(09:10|2026)) codex-login\n$/,
    );
    if (command === "tar") {
      const numbers = run(command, ["--numeric-owner", "--full-time", "-tvzf", archive]);
      assert.match(numbers, / 0\/0 +100001 2026-07-08 09:10:12 codex-login\n$/);
    }
    const out = run(command, [...before, "-xzOf", archive, "codex-login"]);
    assert.ok(Buffer.from(out, "latin1").equals(CONTENT));
  });
}

test("gzip(1) has no fault to find, and finds neither a name nor a time", {
  skip: missingTool("gzip", "--version"),
}, () => {
  const packed = gzip(CONTENT);
  run("gzip", ["-t"], packed);
  assert.ok(Buffer.from(run("gzip", ["-dc"], packed), "latin1").equals(CONTENT));
  assert.equal(Buffer.from(packed.slice(0, 10)).toString("hex"), "1f8b08000000000002ff");
});

test("unzip finds one executable in the archive, of the release's time", {
  skip: missingTool("unzip", "-v"),
}, async () => {
  await using folder = await createHome();
  const target = TARGETS.find(({ name }) => name === "windows-x64") as Target;
  const executable = join(folder.path, "built");
  await writeFile(executable, CONTENT);
  const { file } = packExecutable(RELEASE, target, executable, folder.path);
  const archive = join(folder.path, file);
  assert.match(run("unzip", ["-t", archive]), /No errors detected/);
  assert.match(run("unzip", ["-l", archive]), /\b100001 +2026-07-08 09:10 +codex-login\.exe\n/);
  assert.match(run("unzip", ["-Z", archive]), /^-rwxr-xr-x +2\.0 unx +100001 .*\n1 file, /m);
  assert.ok(Buffer.from(run("unzip", ["-p", archive]), "latin1").equals(CONTENT));
});

test("what an archive cannot tell is refused", () => {
  const entry = { name: "codex-login", mode: 0o755, content: CONTENT };
  assert.throws(() => tar([{ ...entry, name: "a".repeat(101) }], RELEASE.modified), /too long/);
  assert.throws(() => tar([{ ...entry, mode: 0o10000000 }], RELEASE.modified), /too much/);
  assert.throws(() => zip(entry, new Date("1979-12-31T23:59:59Z")), /before 1980/);
});

test("the same content gives the same bytes, whatever the time zone", () => {
  const entry = { name: "codex-login", mode: 0o755, content: CONTENT };
  const before = process.env["TZ"];
  const packed = ["UTC", "Pacific/Auckland"].map((zone) => {
    process.env["TZ"] = zone;
    return [gzip(tar([entry], RELEASE.modified)), zip(entry, RELEASE.modified)].map((bytes) =>
      Buffer.from(bytes).toString("base64")
    );
  });
  if (before === undefined) delete process.env["TZ"];
  else process.env["TZ"] = before;
  assert.deepEqual(packed[0], packed[1]);
});
