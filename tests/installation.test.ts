import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { findInstallation, type Installation, updateCommand } from "../src/installation.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";

test("whoever installed it updates it", () => {
  const rows: [kind: Installation["kind"], path: string, command: string | undefined][] = [
    [
      "executable",
      "/opt/homebrew/Cellar/codex-login/1.0.0/bin/codex-login",
      "brew upgrade codex-login",
    ],
    [
      "executable",
      "/home/linuxbrew/.linuxbrew/Cellar/codex-login/1.0.0/bin/codex-login",
      "brew upgrade codex-login",
    ],
    // Not Homebrew's, although its folder is near.
    ["executable", "/opt/homebrew/bin/codex-login", undefined],
    ["executable", "/home/ada/.local/bin/codex-login", undefined],
    ["executable", "C:\\Users\\ada\\codex-login.exe", undefined],
    [
      "bundle",
      "/usr/lib/node_modules/codex-login/dist/cli.js",
      "npm install -g codex-login@latest",
    ],
    [
      "bundle",
      "C:\\Users\\ada\\AppData\\Roaming\\npm\\node_modules\\codex-login\\dist\\cli.js",
      "npm install -g codex-login@latest",
    ],
    [
      "bundle",
      "/home/ada/app/node_modules/codex-login/dist/cli.js",
      "npm install codex-login@latest",
    ],
    [
      "bundle",
      "/home/ada/.npm/_npx/1f/node_modules/codex-login/dist/cli.js",
      "npx codex-login@latest",
    ],
    [
      "bundle",
      "/tmp/bunx-1000-codex-login@latest/node_modules/codex-login/dist/cli.js",
      "bunx codex-login@latest",
    ],
    [
      "bundle",
      "/home/ada/.bun/install/global/node_modules/codex-login/dist/cli.js",
      "bun add -g codex-login@latest",
    ],
    [
      "bundle",
      "/home/ada/.local/share/pnpm/global/5/node_modules/codex-login/dist/cli.js",
      "pnpm add -g codex-login@latest",
    ],
    ["bundle", "/home/ada/codex-login/dist/cli.js", undefined],
    ["sources", "/home/ada/codex-login/src/main.ts", "git pull"],
  ];
  for (const [kind, path, command] of rows) {
    assert.equal(updateCommand({ kind, path }), command, path);
  }
});

test("what runs is told by the command that would start it again, links followed", async () => {
  await using home = await createHome();
  const [file, link] = [join(home.path, "cli.js"), join(home.path, "link.js")];
  await writeFile(file, "");
  await symlink(file, link);
  const { runtime } = await createWorld();
  const find = (command: readonly string[]): Promise<Installation> =>
    findInstallation({ runtime: { ...runtime, helperCommand: (word) => [...command, word] } });
  assert.deepEqual(await find(["node", link]), { kind: "bundle", path: file });
  assert.deepEqual(await find([link]), { kind: "executable", path: file });
  assert.deepEqual(await find(["deno", "run", "/nowhere/main.ts"]), {
    kind: "sources",
    path: "/nowhere/main.ts",
  });
});
