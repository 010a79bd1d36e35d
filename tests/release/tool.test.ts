import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../../tools/release/archives.ts";
import { type Target, TARGETS } from "../../tools/release/targets.ts";
import { createHome } from "../testing/home.ts";
import { ROOT } from "../testing/program.ts";
import { missingTool } from "../testing/tools.ts";

const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));

interface Described {
  readonly name: string;
  readonly triple: string;
  readonly archive: string;
  readonly size: number;
  readonly sha256: string;
  readonly executable: unknown;
}

/** Small things in place of the executables. */
async function plantExecutables(folder: string): Promise<void> {
  for (const { name, executable } of TARGETS) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, executable), `the program of ${name}`.repeat(100));
  }
}

/** The tool, always on Deno, whose zlib makes the bytes. */
function release(...args: string[]): { status: number | null; out: string } {
  const deno = join(ROOT, "node_modules/.bin/deno");
  const { status, stdout, stderr } = spawnSync(
    deno,
    ["run", "-A", "--no-check", "tools/release.ts", ...args],
    { cwd: ROOT, encoding: "utf8" },
  );
  return { status, out: stdout + stderr };
}

function unpacked(path: string, { executable }: Target): string {
  const [command = "", ...args] = path.endsWith(".zip")
    ? ["unzip", "-p", path]
    : ["tar", "-xzOf", path, executable];
  return spawnSync(command, args, { encoding: "utf8" }).stdout;
}

test("a release is all that it says, twice the same bytes", {
  skip: missingTool("sha256sum", "--version") || missingTool("unzip", "-v"),
}, async () => {
  await using folder = await createHome();
  const [from, out, again] = ["targets", "release", "again"].map((name) => join(folder.path, name));
  assert.ok(from && out && again);
  await plantExecutables(from);
  const made = release("--from", from, "--out", out);
  assert.equal(made.status, 0, made.out);

  const files = (await readdir(out)).sort();
  const description = JSON.parse(await readFile(join(out, "release.json"), "utf8")) as {
    version: string;
    commit: string | null;
    targets: Described[];
  };
  const head = spawnSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" });
  const commit = head.status === 0 ? head.stdout.trim() : null;
  assert.deepEqual([description.version, description.commit], [version, commit]);
  assert.deepEqual(
    description.targets.map(({ triple }) => triple),
    TARGETS.map(({ triple }) => triple),
  );
  for (const one of description.targets) {
    const target = TARGETS.find(({ name }) => name === one.name) as Target;
    const archive: Uint8Array = await readFile(join(out, one.archive));
    assert.deepEqual([one.size, one.sha256], [archive.length, sha256(archive)]);
    const content: Uint8Array = Buffer.from(unpacked(join(out, one.archive), target));
    assert.equal(String(content), `the program of ${target.name}`.repeat(100));
    assert.deepEqual(one.executable, {
      name: target.executable,
      size: content.length,
      sha256: sha256(content),
    });
  }
  assert.deepEqual(
    files,
    [
      "SHA256SUMS",
      "codex-login.rb",
      "install.sh",
      "release.json",
      `codex-login-${version}-extras.tar.gz`,
      `codex-login-${version}.cdx.json`,
      ...description.targets.map(({ archive }) => archive),
    ].sort(),
  );

  const checked = spawnSync("sha256sum", ["--strict", "-c", "SHA256SUMS"], {
    cwd: out,
    encoding: "utf8",
  });
  assert.equal(checked.status, 0, checked.stderr);
  const sums = (await readFile(join(out, "SHA256SUMS"), "utf8")).trimEnd().split("\n");
  assert.deepEqual(
    sums.map((line) => line.slice(66)),
    files.filter((name) => name !== "SHA256SUMS"),
  );

  // Built at another time, by a run of its own, beside what an earlier run has left.
  await utimes(join(from, "linux-x64/codex-login"), 1, 1);
  await mkdir(again);
  await writeFile(join(again, "left"), "of another version");
  assert.equal(release("--from", from, "--out", again).status, 0);
  assert.deepEqual((await readdir(again)).sort(), files);
  for (const name of files) {
    const [one, other] = await Promise.all([out, again].map((at) => readFile(join(at, name))));
    assert.ok(one?.equals(other as Uint8Array), name);
  }
});

test("the extras are what the program says of itself", {
  skip: missingTool("tar", "--version"),
}, async () => {
  await using folder = await createHome();
  const [from, out] = ["targets", "release"].map((name) => join(folder.path, name));
  assert.ok(from && out);
  await plantExecutables(from);
  const made = release("--from", from, "--out", out, "--only", "linux-x64");
  assert.equal(made.status, 0, made.out);
  const archive = join(out, `codex-login-${version}-extras.tar.gz`);
  const { stdout } = spawnSync("tar", ["--numeric-owner", "-tvzf", archive], { encoding: "utf8" });
  const lines = stdout.trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.split(/\s+/).at(-1)), [
    "completions/codex-login.bash",
    "completions/codex-login.fish",
    "completions/codex-login.ps1",
    "completions/_codex-login",
    "man/codex-login.1",
  ]);
  for (const line of lines) assert.match(line, /^-rw-r--r-- 0\/0 /);
  const page = spawnSync("tar", ["-xzOf", archive, "man/codex-login.1"], { encoding: "utf8" });
  assert.match(page.stdout, /^\.Dt CODEX-LOGIN 1$/m);
  // Without all executables there is nothing to make a formula of.
  assert.ok(!(await readdir(out)).includes("codex-login.rb"));
});

test("what is missing, or unknown, is named, and nothing is made", async () => {
  await using folder = await createHome();
  const [from, out] = ["targets", "release"].map((name) => join(folder.path, name));
  assert.ok(from && out);
  await plantExecutables(from);
  await rm(join(from, "windows-arm64/codex-login.exe"));
  const missing = release("--from", from, "--out", out);
  assert.equal(missing.status, 1);
  assert.match(missing.out, /^missing: .*windows-arm64\/codex-login\.exe\ntry: npm run build/);
  const unknown = release("--from", from, "--out", out, "--only", "linux-x64,plan9-x64");
  assert.equal(unknown.status, 1);
  assert.match(unknown.out, /there is no target "plan9-x64"/);
  assert.deepEqual(await folder.list(), ["targets"]);
});
