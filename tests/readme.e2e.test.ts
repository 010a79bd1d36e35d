import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { parseArguments } from "../src/commands/arguments.ts";
import { EXIT_CODES } from "../src/commands/exit_codes.ts";
import { COMMANDS, COMMON_OPTIONS } from "../src/commands/table.ts";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { programCommand, programEnvironment, ROOT, SUBJECT } from "./testing/program.ts";
import { missingTool } from "./testing/tools.ts";

const README = await readFile(join(ROOT, "README.md"), "utf8");

/** Commands of the README that show nothing, and are run here with those that do. */
const QUIET = [/^token=\$\(codex-login /];

/** What this page cannot run, by the test that does, or by why nothing here can. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^curl -fsSLO \S+\/install\.sh$|^sh install\.sh\b/, "tests/install.test.ts"],
  [/^gh attestation verify /, "asks GitHub"],
  [/^curl -fsSLO "\$base\/SHA256SUMS\.sigstore\.json"$|^cosign verify-blob /, "asks Sigstore"],
  [/^brew install /, "takes Homebrew: tests/release/formula.test.ts"],
  [/^(?:npx|bunx|deno run -A npm:)\s?codex-login$/, "tests/package.e2e.test.ts"],
  [/^npm install --global codex-login$/, "tests/package.e2e.test.ts"],
  [/^npm ci$|^npm run build$|^cp dist\/codex-login /, "tests/executable.test.ts"],
  [/ ?<?\(?codex-login completion (?:bash|zsh|fish|powershell)\b/, "tests/completion.test.ts"],
  [/^docker run /, "takes a container engine: tests/faults.e2e.test.ts"],
  [/^npm ci && npm run demo$/, "tests/readme.e2e.test.ts"],
  [/^npm ci && npm test$/, "is what runs this"],
];

/** Each block of shell commands. */
const scripts = [...README.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, script = ""]) => script);
/** The one that downloads and checks an archive; it is run whole. */
const DOWNLOAD = scripts.find((script) => script.includes("sha256sum --check")) ?? "";

function commandsOf(script: string): string[] {
  return script.replaceAll("\\\n", "").split("\n").filter((line) => line !== "");
}

/** The blocks that show a command and what it says, and the quiet ones, in their order. */
const sessions = [...README.matchAll(/^```(?:console\n\$ (.+)|sh)\n([^]*?)^```/gm)].flatMap((
  [, command, output = ""],
) =>
  command ? [{ command, output }] : commandsOf(output)
    .filter((line) => QUIET.some((pattern) => pattern.test(line)))
    .map((line) => ({ command: line, output: "" }))
);

/** "…" in the README stands for anything on one line, and alone on a line for any lines. */
function toPattern(output: string): RegExp {
  const literal = output.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\n…(?=\n)/g, "(?:\n.*)*?").replaceAll("…", ".*")}$`, "m");
}

test(
  `${SUBJECT}: every command of the README does what the README shows`,
  { timeout: 120_000, skip: missingTool("curl", "--version") },
  async () => {
    assert.ok(sessions.length >= 14);
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using api = await startApi(home);
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
        API: api.url,
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

test("every other command of the README is run by a test, or it is said why none can", () => {
  const others = scripts.filter((script) => script !== DOWNLOAD).flatMap(commandsOf)
    .filter((line) => !QUIET.some((pattern) => pattern.test(line)));
  for (const command of others) {
    assert.equal(ELSEWHERE.filter(([pattern]) => pattern.test(command)).length, 1, command);
  }
  for (const [pattern, where] of ELSEWHERE) {
    assert.ok(others.some((command) => pattern.test(command)), `${pattern} is not in the README`);
    for (const [file] of where.matchAll(/tests\/\S+\.ts/g)) {
      assert.ok(existsSync(join(ROOT, file)), file);
    }
  }
});

test(
  "an archive is downloaded, checked and unpacked as the README says, and not when it was changed",
  { skip: missingTool("sha256sum", "--version") },
  async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    for (const isChanged of [false, true]) {
      await using home = await createHome();
      const at = (...names: string[]): string => join(home.path, ...names);
      const sh = (script: string): number | null =>
        spawnSync("sh", ["-euc", script], {
          cwd: home.path,
          env: { HOME: home.path, PATH: `${home.path}:${process.env["PATH"]}` },
        }).status;
      // The real files have these names; what stands in for curl finds them by the end of the address.
      await writeFile(at("codex-login"), "#!/bin/sh\n");
      await writeFile(at("curl"), '#!/bin/sh\ncp "served/${2##*/releases/download/}" .\n', {
        mode: 0o755,
      });
      const name = `codex-login-${version}-x86_64-unknown-linux-gnu.tar.gz`;
      const folder = `served/v${version}`;
      const made = sh(`mkdir -p ${folder}; tar -czf ${folder}/${name} codex-login; rm codex-login
        cd ${folder}; sha256sum ${name} > SHA256SUMS; echo "${
        "0".repeat(64)
      }  other" >> SHA256SUMS`);
      assert.equal(made, 0);
      if (isChanged) await writeFile(at(folder, name), "something else");
      assert.equal(sh(DOWNLOAD), isChanged ? 1 : 0);
      assert.equal(existsSync(at(".local/bin/codex-login")), !isChanged);
    }
  },
);

/** An API that knows the token which is stored in this home. */
async function startApi(home: TestHome): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(async ({ headers }, response) => {
    const stored = JSON.parse(await home.readAuth()).tokens?.access_token;
    const isKnown = headers.authorization === `Bearer ${stored}`;
    response.end(isKnown ? '{"hello":"ada@example.com"}\n' : '{"error":"unknown token"}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Options that are not the program's own: of install.sh, of the npm scripts, and of npm. */
async function otherOptions(): Promise<Set<string>> {
  const installer = await readFile(join(ROOT, "install.sh"), "utf8").catch(() => "");
  const named = installer.matchAll(/^ {2}--([a-z-]+)/gm);
  return new Set([...[...named].map(([, name = ""]) => name), "auto", "minutes", "all", "bun"]);
}

test("the README's exit codes, options and error codes are the program's", async () => {
  const folded = README.replace(/ +/g, " ");
  for (const [codes, meaning] of EXIT_CODES) {
    assert.ok(folded.includes(`| ${codes} | ${meaning} |`), codes);
  }
  const options = new Set(
    [...COMMON_OPTIONS, ...COMMANDS.flatMap((command) => command.options)].map(({ name }) => name),
  );
  const others = await otherOptions();
  for (const [, name = ""] of README.matchAll(/`[^`\n]*?(?<![\w-])--([a-z][a-z-]+)/g)) {
    assert.ok(options.has(name) || others.has(name), `--${name}`);
  }
  for (const [, code = ""] of README.matchAll(/error\[([A-Z_]+)\]/g)) {
    assert.ok(code === "CODE" || Object.hasOwn(ERROR_KINDS, code), code);
  }
  for (const [, command = ""] of README.matchAll(/`(?:bunx )?codex-login ([^`]*)`/g)) {
    await parseArguments(command.split(" ").filter((word) => word !== ""));
  }
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
