import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createHome } from "./testing/home.ts";
import { ROOT } from "./testing/program.ts";

interface Run {
  readonly status: number | null;
  readonly said: string;
}

/** The tool as `npm run fuzz` starts it. */
function runTool(...parameters: string[]): Promise<Run> {
  const child = spawn(
    join(ROOT, "node_modules", ".bin", "deno"),
    ["run", "--no-check", "-A", "tools/fuzz.ts", ...parameters],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stdout.on("data", (chunk) => said += chunk);
  child.stderr.on("data", (chunk) => said += chunk);
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, said })));
}

/** A parser that falls, one that stands still, one whose failure nobody catches, and one that is sound. */
const PLANTED = `
import fc from "FAST_CHECK";
import { fuzzProperty } from "${pathToFileURL(join(ROOT, "tests/fuzz/fuzz_property.ts")).href}";

export const PROPERTIES = [
  fuzzProperty("a planted fault", ["S25"], fc.string({ unit: fc.constantFrom("w", "x") }), (text) => {
    if (text.includes("x")) throw new TypeError("it fell");
  }),
  fuzzProperty("a planted stain", ["S25"], fc.string(), () => {
    Object.prototype.stained = true;
    setTimeout(() => delete Object.prototype.stained);
  }),
  fuzzProperty("a sound one", ["S25"], fc.string(), () => {}),
  fuzzProperty("one that nobody catches", ["S25"], fc.constant(1), () => {
    setTimeout(() => { throw new Error("too late"); });
    return new Promise((resolve) => setTimeout(resolve, 1_000));
  }),
];
`;

test("npm run fuzz finds what is planted, and shows it again", { timeout: 110_000 }, async () => {
  await using home = await createHome();
  const path = join(home.path, "planted.ts");
  const fastCheck = import.meta.resolve("fast-check");
  await writeFile(path, PLANTED.replace("FAST_CHECK", fastCheck));
  const only = (name: string): string[] => ["--module", path, "--minutes", "0", "--only", name];

  const [found, stained, late, sound] = await Promise.all([
    runTool(...only("a planted fault")),
    runTool(...only("a planted stain")),
    runTool(...only("one that nobody catches")),
    runTool(...only("a sound one")),
  ]);
  assert.equal(found.status, 1, found.said);
  assert.match(found.said, /^a planted fault: it fell\n {2}on \["x"\]$/m);
  assert.equal(stained.status, 1, stained.said);
  assert.equal(late.status, 1, late.said);
  assert.match(late.said, /^one that nobody catches: fell, with nobody to catch it: .*too late/m);
  assert.deepEqual(sound, { status: 0, said: "     200 runs  a sound one\nnothing failed\n" });

  const [, seed = "", at = ""] = /--seed=(\S+) --path=(\S+)$/m.exec(found.said) ?? [];
  const again = await runTool(...only("a planted fault"), `--seed=${seed}`, `--path=${at}`);
  assert.equal(again.status, 1, again.said);
  assert.match(again.said, /it fell\n {2}on \["x"\]\n/);
});

test(
  "npm run fuzz tries the program's own parsers, and names them",
  { timeout: 110_000 },
  async () => {
    const name = "an issuer's address";
    const [run, ...refused] = await Promise.all([
      runTool("--minutes", "0", "--only", name),
      runTool("--minutes", "x"),
      runTool("--only", "nobody"),
      runTool("--path=0"),
    ]);
    assert.deepEqual(run, { status: 0, said: `     200 runs  ${name}\nnothing failed\n` });
    for (const { status, said } of refused) {
      assert.equal(status, 2, said);
      assert.match(said, /^ {2}an issuer's address$/m);
    }
  },
);
