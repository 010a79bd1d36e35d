import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { browserCommands, openBrowser } from "../src/browser.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";

const URL_WITH_EVERYTHING = "https://issuer.test/a?b=c&d=%20'\"$(id)`id`^%PATH%;x";

test("browserCommands() picks the system's own way", () => {
  const rows: [platform: string, env: Record<string, string>, commands: string[][]][] = [
    ["darwin", {}, [["open"]]],
    ["win32", {}, [["rundll32", "url.dll,FileProtocolHandler"]]],
    ["linux", { WSL_DISTRO_NAME: "Debian" }, [["rundll32.exe", "url.dll,FileProtocolHandler"], [
      "xdg-open",
    ]]],
  ];
  for (const [platform, env, commands] of rows) {
    assert.deepEqual(browserCommands({ platform, env }), commands);
  }
  assert.deepEqual(browserCommands({ platform: "linux", env: {} }).at(-1), ["xdg-open"]);
});

test("browserCommands() splits $BROWSER and --browser into words without a shell", () => {
  const env = { BROWSER: "w3m:firefox -P 'my profile' \"%s\": " };
  assert.deepEqual(browserCommands({ platform: "linux", env }), [["w3m"], [
    "firefox",
    "-P",
    "my profile",
    "%s",
  ]]);
  assert.deepEqual(browserCommands({ platform: "win32", env: { BROWSER: "C:\\b.exe;d" } }), [[
    "C:\\b.exe",
  ], ["d"]]);
  assert.deepEqual(browserCommands({ platform: "linux", env }, "echo;$(id) `id`"), [[
    "echo;$(id)",
    "`id`",
  ]]);
});

test("openBrowser() hands over the address as one argument, at its place or at the end", async () => {
  const world = await createWorld({
    env: { BROWSER: "browser --new %s --end" },
    platform: "linux",
  });
  assert.equal(await openBrowser(world, URL_WITH_EVERYTHING), undefined);
  assert.equal(await openBrowser(world, URL_WITH_EVERYTHING, "other"), undefined);
  assert.deepEqual(world.launched, [
    ["browser", "--new", URL_WITH_EVERYTHING, "--end"],
    ["other", URL_WITH_EVERYTHING],
  ]);
});

test("openBrowser() takes a path with spaces for one program", async () => {
  await using home = await createHome();
  const program = join(home.path, "My Browser", "run me");
  await mkdir(join(home.path, "My Browser"));
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  const world = await createWorld();
  await openBrowser(world, "https://x.test", program);
  assert.deepEqual(world.launched, [[program, "https://x.test"]]);
});

test("openBrowser() tries the next program, and tells why none could be started", async () => {
  const tried: string[] = [];
  const world = await createWorld({
    env: { BROWSER: "one:two" },
    platform: "linux",
    launch: ([program = ""]) => {
      tried.push(program);
      return Promise.resolve("not found");
    },
  });
  assert.equal(await openBrowser(world, "https://x.test"), "one: not found; two: not found");
  assert.deepEqual(tried, ["one", "two"]);
});
