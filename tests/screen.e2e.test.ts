import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readProc } from "../src/proc.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer, type TestIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { SUBJECT } from "./testing/program.ts";
import { startTerminal, type Terminal } from "./testing/tmux.ts";
import { missingTool } from "./testing/tools.ts";
import { until } from "./testing/until.ts";

const OPTIONS = { timeout: 120_000, skip: missingTool("tmux", "-V") };
const ADDRESS = /^(http:\S+\/oauth\/authorize\?\S+)$/m;
const READY = /0:\d\d, \d+:\d\d left - waiting/;

const login = (issuer: TestIssuer, ...more: string[]): string[] => [
  ...["login", "--issuer", issuer.url, "--port", "0"],
  ...more,
];

/** A browser that only writes down what it is to open. */
async function createBrowser(
  home: TestHome,
): Promise<{ command: string; opened(): Promise<string[]> }> {
  const command = join(home.path, "browser");
  const list = join(home.path, "opened");
  await writeFile(command, `#!/bin/sh\necho "$1" >> '${list}'\n`);
  await chmod(command, 0o755);
  const opened = (): Promise<string[]> =>
    readFile(list, "utf8").then((text) => text.trim().split("\n"), () => []);
  return { command, opened };
}

/** Also of one that nobody asked how it ended: it has no command line any more. */
async function isOver(pid: number): Promise<boolean> {
  if (process.platform === "linux") return await readProc(`/proc/${pid}/cmdline`) === "";
  return spawnSync("ps", ["-p", `${pid}`]).status !== 0;
}

async function authUrl(terminal: Terminal): Promise<string> {
  await terminal.shows(READY);
  return (await terminal.shows(ADDRESS))[1] ?? "";
}

/** The terminal is as the shell left it: it echoes, and Enter ends a line. */
async function assertRestored(terminal: Terminal): Promise<void> {
  terminal.press(
    "stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(icanon|echo|isig)' | xargs",
    "Enter",
  );
  await terminal.shows(/^isig icanon echo$/m);
}

for (const columns of [40, 120]) {
  test(
    `${SUBJECT}: at ${columns} columns every key works, and the address is one line`,
    OPTIONS,
    async () => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      const { command, opened } = await createBrowser(home);
      using terminal = startTerminal(home, { columns });
      terminal.run(...login(issuer, "--browser", command));
      const address = await authUrl(terminal);
      assert.ok(address.includes("code_challenge_method=S256") && address.endsWith("codex_cli_rs"));
      // A link that can be clicked, whole in one piece.
      const link = `\x1b]8;;${address}\x1b\\${address}\x1b]8;;\x1b\\`;
      await terminal.recorded(link);
      // It is opened after it is shown.
      await until("it is opened", async () => (await opened()).join("") !== "");
      assert.deepEqual(await opened(), [address]);
      terminal.press("Enter");
      // Keys that come in one read are a paste.
      await until("it is opened again", async () => (await opened()).length > 1);
      terminal.press("c");
      await terminal.shows(/Copied, if this terminal lets programs\sdo that/);
      assert.equal(terminal.clipboard(), address);
      assert.deepEqual(await opened(), [address, address]);
      terminal.press("q");
      await terminal.shows(columns === 40 ? /The QR code needs \d+ columns/ : /[▀▄█]{20}/);
      terminal.press("Up");
      terminal.press("Escape");
      await terminal.shows(/error\[INTERRUPTED\][^]*exit=130/);
      await assertRestored(terminal);
      assert.ok(!(await home.list()).includes("auth.json"));
    },
  );
}

test(
  `${SUBJECT}: the address is pasted, after a wrong one, and is never shown`,
  OPTIONS,
  async () => {
    for (const marked of [true, false]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      using terminal = startTerminal(home, { columns: 100 });
      terminal.run(...login(issuer, "--no-browser"));
      const callback = await obtainCallback(await authUrl(terminal));
      const wrong = callback.replace(/state=[^&]+/, `state=${"x".repeat(43)}`);
      terminal.paste("oldcode_from_earlier_try", { marked });
      if (!marked) terminal.press("Enter");
      await terminal.shows(/The issuer does not know that code for this sign-in/);
      terminal.paste(wrong, { marked });
      if (!marked) terminal.press("Enter");
      await terminal.shows(/belongs to another sign-in, perhaps to an older try/);
      // As a chat program wraps it.
      terminal.paste(` "${callback.replace(/(.{60})/g, "$1\n")}" `, { marked });
      if (!marked) terminal.press("Enter");
      await terminal.shows(/Taken; signing in[^]*Signed in as ada@example\.com[^]*exit=0/);
      assert.equal(issuer.asked("token").length, 2);
      const code = new URL(callback).searchParams.get("code") ?? "";
      assert.ok(code.length > 10 && !terminal.raw().includes(code.slice(0, 12)));
      assertNoSecrets(terminal.raw(), issuer);
      await assertRestored(terminal);
    }
  },
);

test(
  `${SUBJECT}: d goes on with a device code, whose address fits a narrow terminal`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    using terminal = startTerminal(home, { columns: 45 });
    terminal.run(...login(issuer, "--no-browser"));
    await authUrl(terminal);
    terminal.press("d");
    const [, code = ""] = await terminal.shows(/^([A-Z0-9]{4}-[A-Z0-9]+)$/m);
    assert.match(terminal.screen(), new RegExp(`^${issuer.url}/codex/device$`, "m"));
    await terminal.shows(/0:\d\d, \d+:\d\d left - waiting for the code/);
    terminal.press("c");
    await terminal.shows(/Copied/);
    assert.equal(terminal.clipboard(), code);
    terminal.press("q");
    await terminal.shows(/█▀▀▀▀▀█/);
    issuer.enterCode(code);
    await terminal.shows(/Signed in as ada@example\.com[^]*exit=0/);
    assertNoSecrets(terminal.raw(), issuer);
    assert.equal(issuer.asked("deviceCode").length, 1);
    await assertRestored(terminal);
  },
);

test(
  `${SUBJECT}: Ctrl-Z gives the terminal back, fg takes it again, and signals restore it`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    using terminal = startTerminal(home, { columns: 100 });
    terminal.run(...login(issuer, "--no-browser"));
    await authUrl(terminal);
    terminal.press("C-z");
    await terminal.shows(/Stopped/);
    await assertRestored(terminal);
    terminal.type("fg");
    await terminal.shows(/fg\n[^]*left - waiting for the browser/);
    terminal.press("C-c");
    await terminal.shows(/error\[INTERRUPTED\]/);
    terminal.run(...login(issuer, "--no-browser"));
    await terminal.shows(/keyboard[^]*\d left - waiting for the browser/);
    terminal.press("C-z");
    await terminal.shows(/Stopped[^]*Stopped/);
    terminal.type("kill -TERM %1");
    terminal.type("fg");
    await terminal.shows(/error\[TERMINATED\]/);
    await assertRestored(terminal);
  },
);

test(
  `${SUBJECT}: stopped and sent to the background it goes on without the terminal`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    using terminal = startTerminal(home, { columns: 100 });
    terminal.run(...login(issuer, "--no-browser"));
    const address = await authUrl(terminal);
    terminal.press("C-z");
    await terminal.shows(/Stopped/);
    terminal.type("bg");
    terminal.type("sleep 2; jobs");
    await terminal.shows(/\[1\]\+ +Running/);
    const [, inBackground = ""] = terminal.screen().split(/^\S*\$ bg$/m);
    assert.ok(!inBackground.includes("waiting for the browser"), inBackground);
    // The shell does not tell a program that runs that it is in front again.
    terminal.type("fg");
    await terminal.shows(/fg\n[^]*left - waiting for the browser/);
    terminal.press("C-z");
    await terminal.shows(/Stopped[^]*fg\n[^]*Stopped/);
    terminal.type("bg");
    await visit(address);
    await terminal.shows(/Signed in as ada@example\.com/);
    // What follows a sign-in is not over yet.
    terminal.type("wait; echo en''ded");
    await terminal.shows(/^ended$/m);
  },
);

test(
  `${SUBJECT}: whatever stops or ends it from outside, the terminal is given back`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    for (const [signal, shown] of [["TSTP", /Stopped/], ["QUIT", /Quit/]] as const) {
      using terminal = startTerminal(home, { columns: 100 });
      terminal.type(terminal.command(...login(issuer, "--no-browser")).replaceAll("'", ""));
      await terminal.shows(READY);
      spawnSync("pkill", [`-${signal}`, "-f", "--", `${issuer.url} --port 0 --no-browser`]);
      await terminal.shows(shown);
      await assertRestored(terminal);
    }
  },
);

test(`${SUBJECT}: whoever closes the terminal ends the login in it`, OPTIONS, async () => {
  for (const state of ["waiting", "stopped", "in the background"] as const) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const pidFile = join(home.path, "pid");
    {
      using terminal = startTerminal(home, { columns: 100 });
      const program = terminal.command(...login(issuer, "--no-browser")).replaceAll("'", "");
      terminal.type(`sh -c 'echo $$ > ${pidFile}; exec ${program}'`);
      await terminal.shows(READY);
      if (state !== "waiting") {
        terminal.press("C-z");
        await terminal.shows(/Stopped/);
      }
      if (state === "in the background") {
        terminal.type("bg");
        await terminal.shows(/bg\n\[1\]\+ /);
      }
    }
    const pid = Number(await readFile(pidFile, "utf8"));
    await until("it has ended", () => isOver(pid));
    assert.match(await home.textOutsideAuth(), /failed code=(HANGUP|TERMINATED)/);
    assert.ok(!(await home.list()).includes("auth.json"));
  }
});

test(
  `${SUBJECT}: one that was let go of goes on when the terminal is closed`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const pidFile = join(home.path, "pid");
    let address = "";
    {
      using terminal = startTerminal(home, { columns: 100 });
      const program = terminal.command(...login(issuer, "--no-browser")).replaceAll("'", "");
      terminal.type(`sh -c 'echo $$ > ${pidFile}; exec ${program}'`);
      address = await authUrl(terminal);
      terminal.press("C-z");
      await terminal.shows(/Stopped/);
      terminal.type("bg; disown -a; echo let''go");
      await terminal.shows(/^letgo$/m);
    }
    await visit(address);
    const pid = Number(await readFile(pidFile, "utf8"));
    await until("it has ended", () => isOver(pid));
    assert.ok((await home.list()).includes("auth.json"));
    assert.doesNotMatch(await home.textOutsideAuth(), /command failed/);
  },
);

test(
  `${SUBJECT}: stopped and continued by others, each key still counts once`,
  OPTIONS,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const { command, opened } = await createBrowser(home);
    using terminal = startTerminal(home, { columns: 100 });
    terminal.type(
      terminal.command(...login(issuer, "--browser", command)).replaceAll("'", ""),
    );
    const address = await authUrl(terminal);
    await until("it is opened", async () => (await opened()).join("") !== "");
    const signal = (name: string): void =>
      void spawnSync("pkill", [`-${name}`, "-f", "--", `${issuer.url} --port 0 --browser`]);
    signal("CONT");
    signal("STOP");
    await terminal.shows(/Stopped/);
    terminal.type("tmux clear-history; clear");
    terminal.type("fg");
    await terminal.shows(/fg\n[^]*left - waiting for the browser/);
    terminal.press("Enter");
    await until("it is opened again", async () => (await opened()).length > 1);
    terminal.press("c");
    await terminal.shows(/Copied/);
    assert.deepEqual(await opened(), [address, address]);
    terminal.press("Escape");
    await terminal.shows(/error\[INTERRUPTED\]/);
    await assertRestored(terminal);
  },
);

test(`${SUBJECT}: a signal at the question is told as what it was`, OPTIONS, async () => {
  await using home = await createHome();
  using terminal = startTerminal(home, { columns: 100, env: { DISPLAY: ":0", MARK: home.path } });
  const pid = join(home.path, "pid");
  terminal.type(
    `sh -c 'echo $$ > ${pid}; exec ${terminal.command().replaceAll("'", "")}'; echo "exit=$?"`,
  );
  await terminal.shows(/How do you want to sign in\?/);
  process.kill(Number(await readFile(pid, "utf8")), "SIGTERM");
  await terminal.shows(/error\[TERMINATED\][^]*exit=143/);
  await assertRestored(terminal);
});

test(`${SUBJECT}: --plain and TERM=dumb draw nothing, and take a paste`, OPTIONS, async () => {
  for (const [args, term] of [[["--plain"], "xterm"], [[], "dumb"]] as const) {
    await using issuer = await startIssuer();
    await using home = await createHome();
    using terminal = startTerminal(home, { columns: 100 });
    terminal.type(`TERM=${term}`);
    terminal.run(...login(issuer, "--no-browser", ...args));
    await terminal.shows(/Or paste here/);
    const [, address = ""] = await terminal.shows(ADDRESS);
    await terminal.recorded("/oauth/authorize");
    const [before] = terminal.raw().split("/oauth/authorize");
    terminal.paste(await obtainCallback(address), { marked: false });
    terminal.press("Enter");
    await terminal.recorded("exit=0");
    const [, drawn = ""] = terminal.raw().split(before ?? "");
    const own = drawn.slice(0, drawn.indexOf("exit=0"));
    assert.ok(own.length > 200 && !own.includes("\x1b"), JSON.stringify(own));
  }
});

test(`${SUBJECT}: in the background nothing is asked and nothing stops`, OPTIONS, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  using terminal = startTerminal(home, { columns: 100 });
  terminal.type(`${terminal.command(...login(issuer, "--no-browser"))} &`);
  await terminal.shows(ADDRESS);
  terminal.type("jobs");
  await terminal.shows(/\[1\]\+ +Running/);
  terminal.type("kill %1");
  await terminal.shows(/error\[TERMINATED\]/);
});

test(`${SUBJECT}: called without anything it asks once how to sign in`, OPTIONS, async () => {
  await using home = await createHome();
  using terminal = startTerminal(home, { columns: 100, env: { DISPLAY: ":0" } });
  terminal.run();
  await terminal.shows(/How do you want to sign in\?/);
  await terminal.shows(/browser on this machine[^]*a code, in a browser anywhere[^]*an API key/);
  terminal.press("Down", "Down", "Enter");
  await terminal.shows(/API key \(it is not shown\)/);
  const key = "sk-proj-0123456789abcdefghijklmnop";
  terminal.paste(key, { marked: false });
  terminal.press("Enter");
  await terminal.shows(/API key sk-pro\*\*\*mnop saved[^]*exit=0/);
  assert.equal((await home.authJson())["OPENAI_API_KEY"], key);
  assert.ok(!terminal.raw().includes(key.slice(0, 16)));
  await assertRestored(terminal);
});

test(
  `${SUBJECT}: what was asked goes on with the browser, and Esc ends the question`,
  OPTIONS,
  async () => {
    await using home = await createHome();
    const { command, opened } = await createBrowser(home);
    using terminal = startTerminal(home, {
      columns: 100,
      env: { BROWSER: command, DISPLAY: ":0" },
    });
    terminal.run();
    await terminal.shows(/How do you want to sign in\?[^]*an API key/);
    terminal.press("Escape");
    await terminal.shows(/error\[INTERRUPTED\][^]*exit=130/);
    terminal.run();
    await terminal.shows(/exit=130[^]*How do you want to sign in\?[^]*an API key/);
    terminal.press("Enter");
    await terminal.shows(READY);
    terminal.press("Enter");
    // Two keys in one read are a paste.
    await until("it is opened again", async () => (await opened()).length > 1);
    terminal.press("Escape");
    await terminal.shows(/exit=130[^]*exit=130/);
    assert.equal((await opened()).length, 2);
    await assertRestored(terminal);
  },
);
