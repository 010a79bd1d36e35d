import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { browserCommands, openBrowser, openingCommands } from "../src/browser.ts";
import { STILL_RUNNING } from "../src/launch.ts";
import { createHome } from "./testing/home.ts";
import { createWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

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

verifies(
  "S66",
  "browserCommands() splits $BROWSER and --browser into words without a shell",
  () => {
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
  },
);

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
  assert.equal(
    await openBrowser(world, "https://x.test"),
    "No browser could be opened (one: not found; two: not found). Open the address yourself.",
  );
  assert.deepEqual(tried, ["one", "two"]);
});

test("%% is a percent sign, and the address keeps its own", () => {
  const world = { platform: "linux", env: {} };
  assert.deepEqual(openingCommands(world, "https://x.test/%s%%", "b 100%% --url=%s"), [
    ["b", "100%", "--url=https://x.test/%s%%"],
  ]);
  assert.deepEqual(openingCommands(world, "https://x.test/%s", "b 50%%"), [
    ["b", "50%", "https://x.test/%s"],
  ]);
});

verifies(
  "S66",
  "on every system the address is one argument, as it is, and no shell is between",
  () => {
    const systems: { platform: string; env: Record<string, string> }[] = [
      { platform: "linux", env: {} },
      { platform: "linux", env: { WSL_DISTRO_NAME: "Debian" } },
      { platform: "darwin", env: {} },
      { platform: "win32", env: {} },
      { platform: "linux", env: { BROWSER: "firefox:chromium --app=%s" } },
      { platform: "win32", env: { BROWSER: "C:\\b.exe;d" } },
    ];
    const address = fc.string({ unit: fc.constantFrom(..."&^%'\"<>|;$`()!\\ *?~#\u00e9%s%%abc/=") })
      .map((tail) => `https://issuer.test/?q=${tail}`);
    fc.assert(
      fc.property(fc.constantFrom(...systems), address, (world, url) => {
        const commands = openingCommands(world, url);
        assert.ok(commands.length > 0);
        for (const [program = "", ...parameters] of commands) {
          assert.ok(!/^(ba|da|z)?sh(\.exe)?$|cmd(\.exe)?$|powershell|pwsh/i.test(program), program);
          assert.equal(parameters.filter((part) => part.includes(url)).length, 1);
          const [own = ""] = parameters.filter((part) => part.includes(url));
          assert.ok(own === url || own === `--app=${url}`);
        }
      }),
    );
  },
);

test("openBrowser() says that a program has not come back, and starts no other", async () => {
  const tried: string[] = [];
  const world = await createWorld({
    env: { BROWSER: "one:two" },
    platform: "linux",
    launch: ([program = ""]) => {
      tried.push(program);
      return Promise.resolve(STILL_RUNNING);
    },
  });
  const told = await openBrowser(world, "https://x.test");
  assert.equal(told, "one has not come back; if no browser appears, open the address yourself.");
  assert.deepEqual(tried, ["one"]);
});

verifies("S66", "on Windows the system's own program is named by its whole path", () => {
  assert.deepEqual(browserCommands({ platform: "win32", env: { SystemRoot: "C:\\Windows" } }), [
    ["C:\\Windows\\System32\\rundll32.exe", "url.dll,FileProtocolHandler"],
  ]);
});
