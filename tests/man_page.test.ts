import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { EXIT_CODES } from "../src/commands/exit_codes.ts";
import { COMMANDS, COMMON_OPTIONS, VERSION_OPTION } from "../src/commands/table.ts";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { renderManPage } from "../tools/man_page.ts";
import { ENVIRONMENT, FILES } from "../tools/man_places.ts";
import { list, literal, macro, text } from "../tools/mdoc.ts";
import { createHome } from "./testing/home.ts";
import { ROOT } from "./testing/program.ts";
import { output } from "./testing/shells.ts";
import { missingTool } from "./testing/tools.ts";

const PAGE = renderManPage(new Date("2026-01-31T12:00:00Z"));

test(
  "mandoc finds no fault in the manual page",
  { skip: missingTool("mandoc", "-V") },
  async () => {
    await using home = await createHome();
    await writeFile(join(home.path, "codex-login.1"), PAGE);
    assert.equal(output(home, "mandoc", ["-T", "lint", "codex-login.1"]), "");
    // Of what it would find there is proof.
    await writeFile(join(home.path, "broken.1"), PAGE.replace(".El\n", ""));
    assert.throws(() => output(home, "mandoc", ["-T", "lint", "broken.1"]), /ended/);
  },
);

/** As a person reads it, in one line. */
const READERS: [program: string, args: readonly string[]][] = [
  ["mandoc", ["-T", "utf8", "-O", "width=300"]],
  ["man", ["-l", "--warnings"]],
];

for (const [program, args] of READERS) {
  test(`${program} shows every command, action, option, code, variable and file`, {
    skip: missingTool(program, program === "man" ? "--version" : "-V"),
  }, async () => {
    await using home = await createHome();
    await writeFile(join(home.path, "codex-login.1"), PAGE);
    const shown = output(home, program, [...args, "codex-login.1"])
      // Letters that are bold or underlined are written twice.
      // deno-lint-ignore no-control-regex -- that is how
      .replace(/.\u0008/gu, "");
    const has = (words: string): void =>
      assert.ok(shown.includes(words), `${words}\n${shown.slice(0, 2000)}`);
    for (const { name, actions = [], options, usage } of COMMANDS) {
      assert.match(shown, new RegExp(`^ +${name}$`, "m"));
      for (const line of usage) has(line);
      for (const action of actions) {
        assert.match(shown, new RegExp(`^ +${[action.name, ...action.words].join(" ")}\\b`, "m"));
      }
      for (const { name: option, value, help } of options) {
        if (help) has(`--${option}${value ? ` ${value}` : ""}`);
      }
    }
    for (const { name, short, help } of [...COMMON_OPTIONS, VERSION_OPTION]) {
      if (help) has(`--${name}`);
      if (help && short) assert.match(shown, new RegExp(`^ +-${short}\\b`, "m"));
    }
    for (const [codes] of EXIT_CODES) assert.match(shown, new RegExp(`^ +${codes}\\b`, "m"));
    for (const code of Object.keys(ERROR_KINDS)) has(code);
    for (const [name] of [...ENVIRONMENT, ...FILES]) has(name);
    has("January 31, 2026");
  });
}

test("nothing that is only understood for the reference's sake is in it, and no date of its own", () => {
  const hidden = [...COMMON_OPTIONS, ...COMMANDS.flatMap(({ options }) => options)]
    .filter(({ help }) => help === undefined);
  assert.ok(hidden.length > 3);
  for (const { name } of hidden) assert.ok(!PAGE.includes(`Fl \\-${name}`), name);
  assert.equal(renderManPage(new Date("2026-01-31T12:00:00Z")), PAGE);
  assert.doesNotMatch(PAGE.replace("January 31, 2026", ""), /\b20\d\d\b/);
});

test("the variables are those that the sources read", () => {
  const src = join(ROOT, "src");
  const sources = (readdirSync(src, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(src, file), "utf8")).join("\n");
  const named = new Set(ENVIRONMENT.map(([name]) => name));
  for (const name of named) assert.ok(sources.includes(`"${name}"`), name);
  for (const [, name = ""] of sources.matchAll(/"(CODEX_[A-Z_]+)"/g)) {
    assert.ok(named.has(name), `${name} is not in the manual page`);
  }
});

test("words cannot become requests, macros or escapes", () => {
  assert.deepEqual(text(".Sh is text. 'so is this"), ["\\&.Sh is text. 'so is this"]);
  assert.deepEqual(text("One. Two\\n."), ["One.", "Two\\en."]);
  assert.deepEqual(literal([".a --b"]).slice(1, -1), ["\\&.a \\-\\-b"]);
  assert.equal(macro("It", "No", ","), ".It \\&No \\&,");
  assert.equal(macro("It", 'a "b"', ""), '.It "a ""b""" ""');
  assert.ok(text("word ".repeat(60).trim()).every((line) => line.length <= 78));
  assert.deepEqual(list([]), [".Bl -tag -width Ds", ".El"]);
});
