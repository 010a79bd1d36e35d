/**
 * The tests with Codex CLI itself as the peer: installs it beside the project, never into it, and runs
 * `tests/interop/` against it. The last line is `N passed, N failed`. `CODEX_REFERENCE` names one that is there already.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { bunPath } from "./bun_path.ts";
import { installReference } from "./reference.ts";

const given = process.env["CODEX_REFERENCE"];
const reference = given ?? installReference().program;

run(process.execPath, ["run", "-A", "build.ts"]);
const files = readdirSync("tests/interop").filter((name) => name.endsWith(".interop.ts"));
const { status, stderr } = spawnSync(
  bunPath(),
  ["test", "--timeout=120000", ...files.map((name) => `./tests/interop/${name}`)],
  {
    encoding: "utf8",
    env: { ...process.env, CODEX_REFERENCE: reference, CODEX_LOGIN_SUBJECT: "executable" },
  },
);
process.stdout.write(stderr);
const count = (what: string): number =>
  Number(new RegExp(`^ *(\\d+) ${what}$`, "m").exec(stderr)?.[1] ?? 0);
const failed = count("fail") + (status === 0 || count("fail") > 0 ? 0 : 1);
process.stdout.write(`${count("pass")} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

function run(program: string, parameters: readonly string[]): void {
  const { status } = spawnSync(program, parameters, { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
