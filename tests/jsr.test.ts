import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { denoPath } from "./testing/deno_path.ts";
import { ROOT } from "./testing/program.ts";

const ONCE = "Deno" in globalThis ? false : "it is Deno that judges";

test("JSR would take the library: nothing missing, and no type has to be inferred", {
  skip: ONCE,
}, () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { status, stdout, stderr } = spawnSync(
    denoPath(),
    ["publish", "--dry-run", "--allow-dirty", `--set-version=${version}`],
    { cwd: ROOT, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  const said = stdout + stderr;
  assert.equal(status, 0, said);
  // What a build puts there, and the system's libraries: the sources do without, or name what they load.
  const warnings = [...said.matchAll(/^warning\[([^\]]+)\]/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(warnings)], ["unanalyzable-dynamic-import"]);
  assert.match(said, new RegExp(`@codex-login/codex-login@${version.replaceAll(".", "\\.")} `));
  const published = [...said.matchAll(/^ +file:\/\/(\S+) \(/gm)].map(([, path = ""]) =>
    path.slice(path.lastIndexOf(ROOT) + ROOT.length).split("/")[0]
  );
  assert.deepEqual(
    [...new Set(published)].sort(),
    ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "assets", "deno.json", "src"],
  );
});
