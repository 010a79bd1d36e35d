import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { REPOSITORY } from "../src/version.ts";
import {
  addScript,
  createPlace,
  inEveryShell,
  INSTALL_SH,
  type Machine,
  plantOlder,
  readInstalled,
  toolsBut,
} from "./testing/install_run.ts";
import { fakeProgram, startReleaseServer } from "./testing/release_server.ts";
import { missingTool } from "./testing/tools.ts";

inEveryShell("the latest version is installed, and nothing else is left", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  const { code, out } = await place.run(shell, ["--base-url", server.url]);
  assert.equal(code, 0, out);
  assert.equal(await readInstalled(place), fakeProgram());
  assert.equal((await stat(place.installed)).mode & 0o777, 0o755);
  assert.deepEqual(await place.list(), [".local/", ".local/bin/", ".local/bin/codex-login"]);
  assert.match(out, /Installed codex-login 1\.2\.3: .*\/a home\/\.local\/bin\/codex-login\n/);
  assert.match(out, /man page are in codex-login-1\.2\.3-extras\.tar\.gz/);
  assert.deepEqual(server.requests, [
    "/latest/download/SHA256SUMS",
    "/download/v1.2.3/codex-login-1.2.3-x86_64-unknown-linux-gnu.tar.gz",
  ]);
});

inEveryShell("--version and --to choose, also from a pipe", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({ version: "1.0.0" });
  server.publish({ version: "2.0.0" });
  const to = join(place.home, "with a 'quote' & more");
  const { code, out } = await place.run(
    shell,
    ["--version", "v1.0.0", "--to", "with a 'quote' & more/"],
    {
      cwd: place.home,
      env: { CODEX_LOGIN_INSTALL_BASE: `${server.url}/`, HOME: undefined },
      stdin: await readFile(INSTALL_SH, "utf8"),
    },
  );
  assert.equal(code, 0, out);
  assert.equal(await readFile(join(to, "codex-login"), "utf8"), fakeProgram("1.0.0"));
  assert.ok(server.requests.every((path) => path.startsWith("/download/v1.0.0/")));
});

inEveryShell("an older version is replaced, even while it runs", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  await plantOlder(place);
  const cat = spawnSync("sh", ["-c", "command -v cat"], { encoding: "utf8" }).stdout.trim();
  await copyFile(cat, place.installed);
  const running = spawn(place.installed, { stdio: ["pipe", "pipe", "ignore"] });
  await once(running, "spawn");
  const answered = once(running.stdout, "data");
  running.stdin.write("still here");
  assert.equal(String((await answered)[0]), "still here");
  server.publish({});
  const { code, out } = await place.run(shell, ["--base-url", server.url]);
  assert.equal(code, 0, out);
  assert.equal(await readInstalled(place), fakeProgram());
  const again = once(running.stdout, "data");
  running.stdin.write("and still");
  assert.equal(String((await again)[0]), "and still");
  const ended = once(running, "close");
  running.stdin.end();
  assert.deepEqual(await ended, [0, null]);
});

inEveryShell("--dry-run asks nobody and writes nothing", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  const { code, out } = await place.run(shell, ["--dry-run", "--base-url", server.url]);
  assert.equal(code, 0, out);
  assert.match(out, /x86_64-unknown-linux-gnu[^]*\.local\/bin\/codex-login[^]*Nothing was/);
  assert.deepEqual([server.requests, await place.list()], [[], []]);
  await plantOlder(place);
  const before = await place.list();
  const removal = await place.run(shell, ["--uninstall", "--dry-run"]);
  assert.match(removal.out, /^Would remove .*Nothing was written\.\n/);
  assert.deepEqual(await place.list(), before);
});

inEveryShell("--uninstall removes the program and leaves logins", async (shell) => {
  await using place = await createPlace();
  await plantOlder(place);
  await mkdir(join(place.home, ".codex"));
  await writeFile(join(place.home, ".codex/auth.json"), "{}");
  await writeFile(join(place.home, ".local/bin/other"), "");
  const { code, out } = await place.run(shell, ["--uninstall"]);
  assert.equal(code, 0, out);
  assert.match(
    out,
    /Removed .*\/codex-login\.\nLogins are kept, in .*\/a home\/\.codex\/auth\.js/,
  );
  assert.deepEqual(await place.list(), [
    ".codex/",
    ".codex/auth.json",
    ".local/",
    ".local/bin/",
    ".local/bin/other",
  ]);
  const again = await place.run(shell, ["--uninstall"]);
  assert.equal(again.code, 1);
  assert.match(again.out, /there is no .*codex-login\n/);
});

inEveryShell("--uninstall leaves what something else has put there", async (shell) => {
  await using place = await createPlace();
  await plantOlder(place);
  for (const text of ["#!/bin/sh\necho somebody else\n", "#!/bin/sh\nexit 1\n", ""]) {
    await writeFile(place.installed, text);
    const { code, out } = await place.run(shell, ["--uninstall"]);
    assert.equal(code, 1, out);
    assert.match(out, /does not say that it is codex-login, so it stays/);
    assert.equal(await readInstalled(place), text);
  }
  await mkdir(join(place.home, "bin"));
  await symlink(place.installed, join(place.home, "bin/codex-login"));
  const linked = await place.run(shell, ["--uninstall", "--to", join(place.home, "bin")]);
  assert.match(linked.out, /is a link[^]*npm uninstall/);
  assert.ok((await place.list()).includes("bin/codex-login"));
});

inEveryShell("each machine gets its own executable", async (shell) => {
  const machines: [string, Machine][] = [
    ["x86_64-unknown-linux-gnu", {}],
    ["x86_64-unknown-linux-gnu", { cpu: "amd64" }],
    ["x86_64-unknown-linux-musl", { isMusl: true }],
    ["aarch64-unknown-linux-gnu", { cpu: "aarch64" }],
    ["aarch64-unknown-linux-musl", { cpu: "aarch64", isMusl: true }],
    ["aarch64-apple-darwin", { system: "Darwin", cpu: "arm64" }],
    ["x86_64-apple-darwin", { system: "Darwin" }],
    ["aarch64-apple-darwin", { system: "Darwin", isTranslated: true }],
  ];
  for (const [triple, machine] of machines) {
    await using place = await createPlace(machine);
    const { code, out } = await place.run(shell, ["--dry-run"]);
    assert.equal(code, 0, out);
    assert.ok(out.includes(`the archive for ${triple} `), out);
    assert.ok(out.includes(`${REPOSITORY}/releases/latest/download/SHA256SUMS`), out);
  }
});

inEveryShell(
  "a machine that there is nothing for is named, and what to do there",
  async (shell) => {
    const machines: [RegExp, Machine][] = [
      [/no executable for FreeBSD on x86_64\ntry: npm install --global/, { system: "FreeBSD" }],
      [/no executable for Linux on riscv64\n/, { cpu: "riscv64" }],
      [/no executable for Linux on armv7l\n/, { cpu: "armv7l" }],
      [/no executable for a 32-bit Linux on aarch64\n/, { cpu: "aarch64", bits: 32 }],
      [/this is Windows \(MINGW64_NT-10\.0\)\ntry: the zip/, { system: "MINGW64_NT-10.0" }],
    ];
    for (const [words, machine] of machines) {
      await using server = await startReleaseServer();
      await using place = await createPlace(machine);
      server.publish({});
      const { code, out } = await place.run(shell, ["--base-url", server.url]);
      assert.equal(code, 1, out);
      assert.match(out, words);
      assert.deepEqual([server.requests, await place.list()], [[], []]);
    }
  },
);

inEveryShell("the PATH is looked at", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  const install = async (env: Record<string, string>): Promise<string> => {
    const { code, out } = await place.run(shell, ["--base-url", server.url], { env });
    assert.equal(code, 0, out);
    return out;
  };
  const own = join(place.home, ".local/bin");
  assert.match(
    await install({ SHELL: "/bin/zsh" }),
    /Add this line to ~\/\.zshrc[^]*export PATH="/,
  );
  assert.match(await install({ SHELL: "/usr/bin/fish" }), /fish_add_path ".*\/\.local\/bin"/);
  const quiet = await install({ PATH: `${own}:${place.tools}` });
  assert.ok(!/on your PATH/.test(quiet), quiet);
  await addScript(place.tools, "codex-login", "true");
  const second = await install({ PATH: `${place.tools}:${own}` });
  assert.match(second, /Another codex-login comes first on your PATH: .*\/tools\/codex-login\n/);
});

inEveryShell("a home is needed only to find the folder", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  for (const HOME of [undefined, ""]) {
    const options = { env: { HOME }, cwd: place.home };
    const { code, out } = await place.run(shell, ["--base-url", server.url], options);
    assert.equal(code, 1, out);
    assert.match(out, /HOME is not set[^]*try: install\.sh --to DIR/);
  }
  assert.deepEqual([server.requests, await place.list()], [[], []]);
});

inEveryShell("what is not understood is refused", async (shell) => {
  await using place = await createPlace();
  const wrong = [
    ...[["--frobnicate"], ["1.2.3"], ["--to"], ["--to", ""], ["--version", ""]],
    ...["../1.0.0", "1..0", "1/2", "nightly", "1.0 0", "-1", "1;id"].map((one) => [
      "--version",
      one,
    ]),
  ];
  for (const args of wrong) {
    const { code, out } = await place.run(shell, args);
    assert.equal(code, 2, `${args}: ${out}`);
    assert.match(out, /^install\.sh: .*\ntry: install\.sh --help\n$/);
  }
  const { code, out } = await place.run(shell, ["--help"]);
  assert.equal(code, 0);
  assert.match(out, /--to DIR[^]*--version VERSION[^]*--dry-run[^]*--uninstall/);
  assert.deepEqual(await place.list(), []);
});
test("of a script that was cut anywhere between its functions nothing happens", {
  skip: missingTool("sh", "-c", ":"),
}, async () => {
  const text = await readFile(INSTALL_SH, "utf8");
  await using place = await createPlace({}, toolsBut(["curl"]));
  await addScript(place.tools, "curl", 'echo "$@" >"$HOME/asked"; exit 1');
  const pipe = (script: string): void => {
    const { error } = spawnSync(join(place.tools, "sh"), ["-s"], { input: script, env: place.env });
    assert.ok(!error, String(error));
  };
  for (const { 0: line, index } of text.matchAll(/^.*\n/gm)) {
    // Inside a function one place says as much as the next: there the shell waits for its end.
    const places = /^[\s}]/.test(line) ? 1 : line.length;
    // Without its newline the last line is whole too.
    for (let at = 1; at <= places && index + at < text.length - 1; at++) {
      pipe(text.slice(0, index + at));
    }
  }
  assert.deepEqual(await place.list(), []);
  pipe(text);
  assert.ok((await place.list()).includes("asked"));
});

test("it names the project's home as the tools do, and its own way to be run", async () => {
  const text = await readFile(INSTALL_SH, "utf8");
  assert.deepEqual(text.match(/https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+/g)?.map(String), [
    REPOSITORY,
    REPOSITORY,
  ]);
  assert.match(text, new RegExp(`^REPOSITORY=${REPOSITORY}$`, "m"));
});

test("shellcheck has nothing to say of the shell scripts", {
  skip: missingTool("shellcheck", "--version"),
}, () => {
  const scripts = ["install.sh", ".ci/run"].map((file) => join(INSTALL_SH, "..", file));
  const args = ["--severity=style", ...scripts];
  const { status, stdout } = spawnSync("shellcheck", args, { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
