import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../testing/program.ts";
import { missingNamespaces } from "../testing/tools.ts";

const FOLDER = join(ROOT, "dist/release");

/** Releases take minutes to make: here only what was made is tried. */
const NO_RELEASE = existsSync(join(FOLDER, "SHA256SUMS"))
  ? false
  : "there is no dist/release (npm run release)";

test("the release installs into an empty home without a network, and signs in", {
  skip: NO_RELEASE || missingNamespaces("-n"),
}, () => {
  const { version } = JSON.parse(readFileSync(join(FOLDER, "release.json"), "utf8"));
  const deno = join(ROOT, "node_modules/.bin/deno");
  const tool = [deno, "run", "-A", "--no-check", "tools/release/try_install.ts"];
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    ["-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", ...tool],
    { cwd: ROOT, encoding: "utf8" },
  );
  assert.equal(status, 0, stdout + stderr);
  assert.ok(stdout.includes(`Installed codex-login ${version}: `), stdout);
  assert.ok(stdout.includes(`\ncodex-login ${version}\n`), stdout);
  assert.match(stdout, /Signed in as ada@example\.com/);
  assert.match(stdout, /"auth_mode": "chatgpt"/);
  assert.match(stdout, /\nRemoved .*\/\.local\/bin\/codex-login\.\n/);
});
