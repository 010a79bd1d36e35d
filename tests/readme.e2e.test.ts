import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseArguments } from "../src/commands/arguments.ts";
import { EXIT_CODES } from "../src/commands/exit_codes.ts";
import { COMMANDS, COMMON_OPTIONS } from "../src/commands/table.ts";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { programCommand, programEnvironment, ROOT, SUBJECT } from "./testing/program.ts";

const README = await readFile(join(ROOT, "README.md"), "utf8");

/** The blocks that show a command and what it says. */
const sessions = [...README.matchAll(/^```console\n\$ (.+)\n([^]*?)^```/gm)].map((
  [, command = "", output = ""],
) => ({
  command,
  output,
}));

/** "…" in the README stands for anything on one line, and alone on a line for any lines. */
function toPattern(output: string): RegExp {
  const literal = output.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\n…(?=\n)/g, "(?:\n.*)*?").replaceAll("…", ".*")}$`, "m");
}

test(
  `${SUBJECT}: every command of the README does what the README shows`,
  { timeout: 120_000 },
  async () => {
    assert.ok(sessions.length >= 6);
    await using issuer = await startIssuer();
    await using home = await createHome();
    // What people type is `codex-login`; only the issuer, and the browser that would open, are not the real ones.
    const script = [
      "#!/bin/sh",
      `if [ $# = 0 ]; then set -- login --issuer ${issuer.url} --browser true; fi`,
      `if [ "$1" = doctor ]; then set -- "$@" --issuer ${issuer.url}; fi`,
      `if [ "$2" = --device-auth ]; then set -- "$@" --issuer ${issuer.url}; fi`,
      `exec ${programCommand().map((part) => `'${part}'`).join(" ")} "$@"`,
    ];
    await writeFile(join(home.path, "codex-login"), `${script.join("\n")}\n`);
    await chmod(join(home.path, "codex-login"), 0o755);

    for (const { command, output } of sessions) {
      const env = programEnvironment(home, {
        PATH: `${home.path}:${process.env["PATH"]}`,
        OPENAI_API_KEY: "sk-proj-0123456789abcdefghijklmnop",
      });
      const child = spawn("sh", ["-c", command], {
        env,
        cwd: home.path,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      let isVisited = false;
      const listen = (chunk: Uint8Array): void => {
        said += chunk;
        const [userCode] = /^[A-Z0-9]+-[A-Z0-9]+(?=\n)/m.exec(said) ?? [];
        if (userCode && !isVisited) {
          isVisited = true;
          issuer.enterCode(userCode);
        }
        const [address] = new RegExp(`^${issuer.url}/oauth/authorize\\S+(?=\n)`, "m").exec(said) ??
          [];
        if (!address || isVisited) return;
        isVisited = true;
        visit(address).catch(() => {});
      };
      child.stdout.on("data", listen);
      child.stderr.on("data", listen);
      const exitCode = await new Promise((resolve) => child.once("close", resolve));
      assert.equal(exitCode, 0, `${command}\n${said}`);
      const shown = said.replaceAll(issuer.url, "https://auth.openai.com").replaceAll(
        home.path,
        "/home/ada/.codex",
      );
      assert.match(shown, toPattern(output), command);
    }
  },
);

test("the README's exit codes, options and error codes are the program's", () => {
  const folded = README.replace(/ +/g, " ");
  for (const [codes, meaning] of EXIT_CODES) {
    assert.ok(folded.includes(`| ${codes} | ${meaning} |`), codes);
  }
  const options = new Set(
    [...COMMON_OPTIONS, ...COMMANDS.flatMap((command) => command.options)].map(({ name }) => name),
  );
  for (const [, name = ""] of README.matchAll(/`[^`\n]*?(?<![\w-])--([a-z][a-z-]+)/g)) {
    // The others are of the npm scripts.
    assert.ok(options.has(name) || ["auto", "minutes"].includes(name), `--${name}`);
  }
  for (const [, code = ""] of README.matchAll(/error\[([A-Z_]+)\]/g)) {
    assert.ok(code === "CODE" || Object.hasOwn(ERROR_KINDS, code), code);
  }
  for (const [, command = ""] of README.matchAll(/`(?:bunx )?codex-login ([^`]*)`/g)) {
    parseArguments(command.split(" ").filter((word) => word !== ""));
  }
});

test("the README's npm scripts and files exist", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const { tasks } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  for (const [, name = ""] of README.matchAll(/npm run ([a-z]+)/g)) assert.ok(scripts[name], name);
  for (const [, name = ""] of README.matchAll(/deno task ([a-z]+)/g)) assert.ok(tasks[name], name);
  for (const [, file = ""] of README.matchAll(/\]\(([A-Z]+(?:\.md)?)\)/g)) {
    await readFile(join(ROOT, file));
  }
  assert.ok(scripts.test);
});

test(
  `${SUBJECT}: the demo signs in, shows what was stored, and no secret`,
  { timeout: 60_000 },
  async () => {
    const program = SUBJECT === "executable"
      ? ["--program", join(ROOT, "dist", "codex-login")]
      : [];
    const deno = "Deno" in globalThis ? process.execPath : "deno";
    const child = spawn(deno, ["run", "-A", "tools/demo.ts", "--auto", ...program], {
      cwd: ROOT,
      env: { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => said += chunk);
    child.stderr.on("data", (chunk) => said += chunk);
    assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0, said);
    assert.match(said, /Signed in as ada@example\.com/);
    assert.match(said, /"refresh_token": "rt_[\w-]+\*\*\*/);
    assert.match(said, /the last page says "You are signed in"/);
    assert.match(said, /Signed in with ChatGPT as ada@example\.com/);
  },
);
