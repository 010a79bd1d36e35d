import assert from "node:assert/strict";
import { chmod, readFile, rm } from "node:fs/promises";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { type Program, startProgram, SUBJECT } from "./testing/program.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { type FileCall, readCalls, recording } from "./testing/strace.ts";
import { missingTool } from "./testing/tools.ts";
import { verifies } from "./testing/verifies.ts";

const OPTIONS = { timeout: 120_000, skip: missingTool("strace", "-V") };

interface Traced {
  readonly calls: readonly FileCall[];
  /** Every line of strace, which also has what was printed. */
  readonly lines: readonly string[];
  readonly stdout: string;
}

/** Runs a command that saves, under umask 0, over a login that everybody can read. */
async function trace(
  home: TestHome,
  args: readonly string[],
  meanwhile: (program: Program) => Promise<unknown> = () => Promise.resolve(),
): Promise<Traced> {
  await chmod(home.authPath, 0o666);
  const file = `${home.path}.trace`;
  try {
    await using program = startProgram(home, args, {
      wrapper: ["sh", "-c", 'umask 0; exec "$@"', "sh", ...recording(file)],
      input: "sk-new-0123456789abcdef",
      cwd: "/",
    });
    await meanwhile(program);
    const { exitCode, stdout, stderr } = await program.ended;
    assert.equal(exitCode, 0, stderr);
    const lines = (await readFile(file, "utf8")).split("\n");
    return { calls: await readCalls(file, home.path), lines, stdout };
  } finally {
    await rm(file, { force: true });
  }
}

const say = ({ name, path }: FileCall): string => `${name} ${path}`;

/** The calls of the one save that came to its end, each of them exactly where it has to be. */
function assertSaved(calls: readonly FileCall[]): void {
  const renamed = calls.filter(({ name, text }) =>
    name.startsWith("rename") && text.includes('/auth.json"')
  );
  const temporary = renamed[0]?.path ?? "";
  assert.match(temporary, /^\.auth\.json\.codex-login-[\w-]{12}\.tmp$/);
  assert.equal(renamed.filter(({ path }) => path === temporary).length, 1);
  const own = calls.filter(({ path }) => path === temporary);
  const [made, ...rest] = own;
  assert.equal(made?.name, "openat", own.map(say).join("\n"));
  const [, flags = "", mode] = /^[^"]*"[^"]*", ([\w|]+), (\d+)/.exec(made?.text ?? "") ?? [];
  for (const flag of ["O_WRONLY", "O_CREAT", "O_EXCL", "O_NOFOLLOW"]) {
    assert.ok(flags.split("|").includes(flag), made?.text);
  }
  assert.equal(mode, "0600");
  const kinds = rest.map(({ name }) => name.replace(/^(pwrite64|write)$/, "write"));
  const inOrder = kinds.filter((name, at) => name !== kinds[at - 1]);
  assert.deepEqual(inOrder.map((name) => name.replace(/^rename.*/, "rename")), [
    ...["write", "fsync", "close", "rename"],
  ]);
  const at = calls.indexOf(renamed[0] as FileCall);
  const after = calls.slice(at + 1).map(say);
  assert.ok(after.includes("fsync ."), after.join("\n"));
  for (const { name, path, text } of calls) {
    const isOfLogin = path === "auth.json" || path === temporary;
    assert.ok(!(isOfLogin && name.includes("chmod")), text);
  }
  // It is written nowhere else, and never in place.
  assert.ok(!calls.some((call) => /^(p?write\w*|ftruncate) auth\.json$/.test(say(call))));
}

verifies(
  ["S43", "S44", "S45"],
  `${SUBJECT}: a save makes its own file, 0600 from its first byte, syncs it, renames it and syncs the folder`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    issuer.misbehave.apiKey = { status: 403 };
    const login = ["login", "--issuer", issuer.url, "--port", "0", "--no-browser"];
    for (
      const [args, meanwhile] of [
        [["login", "--with-api-key"], undefined],
        [login, async (program: Program) => void await visit(await program.authUrl())],
        [["refresh"], undefined],
      ] as const
    ) {
      await using home = await createHome();
      await storeLogin(home, issuer, 3_600);
      const { calls } = await trace(home, args, meanwhile);
      assertSaved(calls);
      for (const name of await home.list()) {
        assert.match(await home.mode(name), /^[67]00$/, name);
      }
    }
  },
);

verifies(
  "S58",
  `${SUBJECT}: a token is printed when the renewed login is on the disk, folder and all`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, -10);
    const { calls, lines, stdout } = await trace(home, ["token"]);
    assertSaved(calls);
    assert.match(stdout, /^eyJ[\w.-]+\n$/);
    const last = (pattern: RegExp): number => lines.findLastIndex((line) => pattern.test(line));
    const printed = lines.findIndex((line) => /\bwritev?\(1<[^>]*>, .*"eyJ/.test(line));
    const renamed = last(/\brename\w*\(.*\/auth\.json"/);
    const synced = lines.findIndex((line, at) =>
      at > renamed && line.includes(`<${home.path}>`) && /\bfsync\(/.test(line)
    );
    assert.ok(
      renamed >= 0 && synced > renamed && printed > synced,
      `${[renamed, synced, printed]}`,
    );
  },
);
