import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { COMMON_OPTIONS } from "../src/commands/common_options.ts";
import { SHELLS } from "../src/commands/completion.ts";
import { completionLevels } from "../src/commands/completion_levels.ts";
import { COMMANDS } from "../src/commands/table.ts";
import { SETTING_NAMES } from "../src/own_settings.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import {
  type Complete,
  completeInBash,
  completeInFish,
  completeInZsh,
  output,
  typeInBash,
} from "./testing/shells.ts";
import { missingTool } from "./testing/tools.ts";

function script(shell: string): string {
  return SHELLS[shell]?.(COMMANDS) ?? "";
}

const names = COMMANDS.map(({ name }) => name).sort();
const common = COMMON_OPTIONS.filter(({ help }) => help).map(({ name }) => `--${name}`);

function optionsOf(command: string, ...but: string[]): string[] {
  const own = COMMANDS.find(({ name }) => name === command)?.options ?? [];
  const shown = own.filter(({ help }) => help).map(({ name }) => `--${name}`);
  return [...common, ...shown].filter((name) => !but.includes(name)).sort();
}

/** What stands before the cursor, and what is offered there by all shells. */
const ROWS: [line: string, offered: string[]][] = [
  ["codex-login ", names],
  ["codex-login lo", ["login", "logout"]],
  ["codex-login --no-b", ["--no-browser"]],
  ["codex-login --ver", ["--verbose", "--version"]],
  ["codex-login status --ver", ["--verbose"]],
  ["codex-login -- nothing-there ", []],
  ["codex-login bogus ", []],
  ["codex-login login ", ["help", "status"]],
  ["codex-login login --", optionsOf("login")],
  ["codex-login login status --i", []],
  ["codex-login login help pro", ["profile"]],
  ["codex-login status --", optionsOf("status")],
  ["codex-login token --min-ttl 5m --j", ["--json"]],
  // An option's value is no command.
  ["codex-login --codex-home status pro", ["profile"]],
  ["codex-login --codex-home=status pro", ["profile"]],
  ["codex-login -c status doc", ["doctor"]],
  ["codex-login token --min-ttl ", []],
  ["codex-login profile ", ["list", "remove", "save", "use"]],
  ["codex-login profile --lo", []],
  ["codex-login profile list --lo", []],
  ["codex-login profile remove --lo", ["--local-only"]],
  ["codex-login logout --lo", ["--local-only"]],
  ["codex-login completion ", ["bash", "fish", "powershell", "zsh"]],
  ["codex-login help comp", ["completion"]],
  ["codex-login help profile u", ["use"]],
  ["codex-login --redirect-host ", ["127.0.0.1", "localhost"]],
  ["codex-login --redirect-host lo", ["localhost"]],
  ["codex-login -c forced_login", ["forced_login_method=api", "forced_login_method=chatgpt"]],
  ["codex-login --config log", ["log_dir="]],
];

/** How a shell gives back a value after "=": all of it, or what comes behind the sign. */
const AFTER_SIGN: [line: string, whole: string[], behind: string[]][] = [
  ["codex-login --redirect-host=lo", ["--redirect-host=localhost"], ["localhost"]],
  ["codex-login doctor --bundle=fi", ["--bundle=file-a"], ["file-a"]],
];

async function prepare(home: TestHome): Promise<void> {
  await writeFile(join(home.path, "file-a"), "");
  await mkdir(join(home.path, "folder-b"));
}

async function check(complete: Complete, shell: string, isWhole: boolean): Promise<void> {
  await using home = await createHome();
  await prepare(home);
  const signs = AFTER_SIGN.map((
    [line, whole, behind],
  ): [string, string[]] => [line, isWhole ? whole : behind]);
  const rows = [...ROWS, ...signs];
  // Folders are marked, or not, as the shell likes.
  const found = await complete(home, script(shell), [
    ...rows.map(([line]) => line),
    "codex-login doctor --bundle f",
    "codex-login --codex-home fo",
    "codex-login --codex-home fi",
    "codex-login --browser ba",
  ]);
  for (const [i, [line, offered]] of rows.entries()) {
    assert.deepEqual(found[i], offered, `${shell}: ${line}`);
  }
  const places = found.slice(rows.length).map((all) => all.map((one) => one.replace(/\/$/, "")));
  assert.deepEqual(places[0], ["file-a", "folder-b"], shell);
  assert.deepEqual([places[1], places[2]], [["folder-b"], []], shell);
  assert.ok(places[3]?.includes("bash"), shell);
}

test(
  "bash completes commands, options and values",
  { skip: missingTool("bash", "--version") },
  async () => {
    await check(completeInBash, "bash", false);
  },
);

test("at a terminal bash completes what readline splits, and paths as it always does", {
  // Its terminal is one of zsh's.
  skip: missingTool("bash", "--version") || missingTool("zsh", "--version"),
}, async () => {
  await using home = await createHome();
  await prepare(home);
  await mkdir(join(home.path, "name with blanks"));
  const rows: [typed: string, line: string][] = [
    ["codex-login logo", "codex-login logout "],
    ["codex-login --no-b", "codex-login --no-browser "],
    ["codex-login --redirect-host=lo", "codex-login --redirect-host=localhost "],
    ["codex-login --redirect-host lo", "codex-login --redirect-host localhost "],
    [
      "codex-login -c cli_auth_credentials_store=k",
      "codex-login -c cli_auth_credentials_store=keyring ",
    ],
    ["codex-login -c log", "codex-login -c log_dir="],
    ["codex-login --config=log", "codex-login --config=log_dir="],
    ["codex-login doctor --bundle ~/fi", "codex-login doctor --bundle ~/file-a "],
    ["codex-login doctor --bundle=fi", "codex-login doctor --bundle=file-a "],
    ["codex-login --codex-home ~/fo", "codex-login --codex-home ~/folder-b/"],
    ["codex-login --codex-home na", "codex-login --codex-home name\\ with\\ blanks/"],
    ["codex-login --codex-home fi", "codex-login --codex-home fi"],
    ["codex-login profile remove x", "codex-login profile remove x"],
  ];
  const found = await typeInBash(home, script("bash"), rows.map(([typed]) => typed));
  assert.deepEqual(found, rows.map(([, line]) => line));
});

test("zsh completes commands, options and values, at a terminal", {
  skip: missingTool("zsh", "--version"),
}, async () => {
  await check(completeInZsh, "zsh", false);
});

test(
  "fish completes commands, options and values",
  { skip: missingTool("fish", "--version") },
  async () => {
    await check(completeInFish, "fish", true);
  },
);

for (const shell of ["bash", "zsh", "fish"]) {
  test(`${shell} finds no fault in what it is given`, {
    skip: missingTool(shell, "--version"),
  }, async () => {
    await using home = await createHome();
    await writeFile(join(home.path, "completion"), script(shell));
    assert.equal(output(home, shell, ["-n", "completion"]), "");
  });
}

test("every command, action and shown option is in each of them, and nothing hidden", () => {
  const hidden = [...COMMON_OPTIONS, ...COMMANDS.flatMap(({ options }) => options)]
    .filter(({ help }) => help === undefined).map(({ name }) => name);
  const levels = completionLevels(COMMANDS);
  assert.equal(new Set(levels.map(({ path }) => path)).size, levels.length);
  for (const shell of Object.keys(SHELLS)) {
    const text = script(shell);
    for (const { name, actions = [], options } of COMMANDS) {
      assert.ok(new RegExp(`(^|[ '"])${name}[ '":\n]`, "m").test(text), `${shell}: ${name}`);
      for (const { name: word } of actions) assert.ok(text.includes(`${name} ${word}`), word);
      for (const { name: option, help } of options) {
        if (!help) continue;
        const typed = shell === "fish" ? `-l ${option} ` : `--${option}`;
        assert.ok(text.includes(typed), `${shell}: ${option}`);
      }
    }
    for (const name of hidden) {
      // It is known, for its value's sake, and not offered.
      const offer = shell === "powershell"
        ? `, @('--${name}'`
        : shell === "fish"
        ? `-l ${name} `
        : `'--${name}:`;
      assert.ok(!text.includes(offer), `${shell}: ${name}`);
    }
  }
});

test("PowerShell's script has its brackets and quotes in pairs", () => {
  // There is no PowerShell here to ask; what breaks such a script is a quote that was not doubled.
  const text = script("powershell").replace(/^\s*#.*$/gm, "");
  const bare = text.replace(/'(?:[^']|'')*'/g, "").replace(/"[^"\n]*"/g, "");
  assert.doesNotMatch(bare, /['"]/);
  const pairs: Record<string, string> = { ")": "(", "}": "{", "]": "[" };
  const open: string[] = [];
  for (const [sign] of bare.matchAll(/[()[\]{}]/g)) {
    if (pairs[sign] === undefined) open.push(sign);
    else assert.equal(open.pop(), pairs[sign]);
  }
  assert.deepEqual(open, []);
  assert.match(text, /Register-ArgumentCompleter -Native -CommandName 'codex-login'/);
});

test("the settings that are offered are those there are", () => {
  const { choices = [] } = COMMON_OPTIONS.find(({ name }) => name === "config") ?? {};
  const offered = new Set(choices.map((one) => one.split("=")[0]));
  assert.deepEqual([...offered].sort(), [...SETTING_NAMES].sort());
});

test("the actions of `completion` are the shells that there are scripts for", () => {
  const actions = COMMANDS.find(({ name }) => name === "completion")?.actions ?? [];
  assert.deepEqual(actions.map(({ name }) => name), Object.keys(SHELLS));
});
