import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { runCli } from "../src/cli.ts";
import { parseArguments } from "../src/commands/arguments.ts";
import { COMMON_EXITS, EXIT_CODES } from "../src/commands/exit_codes.ts";
import { COMMANDS, COMMON_OPTIONS } from "../src/commands/table.ts";
import { LoginError, toLoginError } from "../src/errors.ts";
import { VERSION } from "../src/version.ts";
import { createHome } from "./testing/home.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

async function run(...args: string[]): Promise<{ exitCode: number; world: TestWorld }> {
  const world = await createWorld();
  return { exitCode: await runCli(args, world), world };
}

test("the version is package.json's", async () => {
  const { version } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  assert.equal(VERSION, version);
  for (const args of [["--version"], ["-V"], ["version"]]) {
    const { exitCode, world } = await run(...args);
    assert.equal(exitCode, 0);
    assert.deepEqual(world.data, [`codex-login ${version}`]);
  }
  for (const args of [["version", "--json"], ["--version", "--json"]]) {
    const told = JSON.parse((await run(...args)).world.data[0] ?? "");
    assert.deepEqual([told.version, told.platform, told.arch], [
      version,
      process.platform,
      process.arch,
    ]);
  }
});

test("help goes to stdout, names every command, option and exit code, and exits 0", async () => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { exitCode, world } = await run(...args);
    assert.equal(exitCode, 0);
    assert.deepEqual(world.words, []);
    const text = world.data.join("\n");
    for (const { name } of COMMANDS) assert.ok(text.includes(`  ${name}`), name);
    for (const { name, help } of COMMON_OPTIONS) {
      assert.equal(text.includes(`--${name}`), help !== undefined, name);
    }
    for (const [codes, meaning] of EXIT_CODES) {
      assert.ok(text.includes(codes) && text.includes(meaning));
    }
  }
  for (const args of [["login", "--help"], ["help", "login"], ["login", "help"], ["login", "-h"]]) {
    const text = (await run(...args)).world.data.join("\n");
    assert.ok(text.startsWith("codex-login login: "), args.join(" "));
    for (const { name, help } of COMMANDS[0]?.options ?? []) {
      assert.equal(new RegExp(`--${name}[ \n]`).test(text), help !== undefined, name);
    }
  }
  assert.ok(
    (await run("login", "help", "status")).world.data.join().startsWith("codex-login status: "),
  );
  assert.ok((await run("logout", "--help")).world.data.join().startsWith("codex-login logout: "));
});

test("every command's help shows its options, examples that are right, and its exit codes", async () => {
  for (const command of COMMANDS) {
    const { name, options, actions = [], examples, exits } = command;
    const { data: [...lines] } = (await run("help", name)).world;
    const { data } = (await run(name, "--help")).world;
    assert.deepEqual(data, lines);
    const text = lines.join("\n");
    assert.ok(text.startsWith(`codex-login ${name}: `));
    for (const { name: option, help } of options) {
      assert.equal(new RegExp(`--${option}[ \n]`).test(text), help !== undefined, option);
    }
    for (const { name: action } of actions) assert.ok(text.includes(`\n  ${action} `), action);
    const codes = [...Object.entries(exits), ...COMMON_EXITS];
    const shown = lines.slice(lines.indexOf("Exit codes:") + 1);
    assert.deepEqual(shown.map((line) => line.trim().split(/ {2,}/)), codes);
    assert.ok(exits[0] !== undefined && exits[2] !== undefined);
    assert.ok(examples.length > 0);
    for (const example of examples) {
      assert.ok(lines.includes(`  ${example}`));
      const [, typed = ""] = /codex-login ?([^|>)]*)/.exec(example) ?? [];
      const words = typed.split(" ").filter((word) => word !== "");
      assert.equal((await parseArguments(words)).command, command, example);
    }
  }
});

test("an action has help of its own, and `help` leads there too", async () => {
  for (const { name, actions = [], options } of COMMANDS) {
    for (const { name: action, words, help } of actions) {
      const lines = (await run("help", name, action)).world.data;
      assert.deepEqual((await run(name, action, "--help")).world.data, lines);
      assert.deepEqual((await run(name, action, ...words, "-h")).world.data, lines);
      assert.equal(lines[0], `codex-login ${name} ${action}: ${help}`);
      assert.equal(lines[2], ["Usage: codex-login", name, action, ...words, "[OPTIONS]"].join(" "));
      for (const option of options) {
        const isHere = (option.action ?? action) === action;
        assert.equal(lines.some((line) => line.includes(`--${option.name} `)), isHere);
      }
    }
  }
  assert.ok((await run("help", "login", "status")).world.data[0]?.startsWith("codex-login status"));
  for (
    const args of [["help", "status", "x"], ["help", "profile", "x"], [
      "help",
      "profile",
      "use",
      "x",
    ]]
  ) {
    assert.equal((await run(...args)).exitCode, 2, args.join(" "));
  }
});

test("what is about the program works where settings are broken, and reads none", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "config.toml"), "broken = = =");
  for (const args of [["version"], ["help"], ["completion", "bash"]]) {
    const { exitCode, world } = await run(...args, "--codex-home", home.path);
    assert.deepEqual([exitCode, world.words], [0, []], args[0]);
    assert.ok(world.data.length > 0);
  }
});

test("parseArguments() finds the command where the reference finds it", async () => {
  const rows: [args: string[], command: string][] = [
    [[], "login"],
    [["--no-browser"], "login"],
    [["login"], "login"],
    [["status"], "status"],
    [["login", "status"], "status"],
    [["login", "--with-api-key", "status"], "status"],
    [["--json", "status"], "status"],
    [["-c", "a=b", "logout"], "logout"],
    [["logout", "--local-only"], "logout"],
    [
      ["login", "--experimental_issuer", "https://i.test", "--experimental_client-id", "c"],
      "login",
    ],
    [["login", "--enable", "x", "--disable", "y"], "login"],
  ];
  for (const [args, command] of rows) {
    const invocation = await parseArguments(args);
    assert.equal(invocation.command.name, command, args.join(" "));
  }
});

test("wrong usage exits 2 with the next step, and does nothing", async () => {
  const rows = [
    ["--bogus"],
    ["bogus"],
    ["login", "extra"],
    ["login", "status", "extra"],
    ["status", "extra"],
    ["status", "--port", "1"],
    ["logout", "--no-browser"],
    ["help", "bogus"],
    ["help", "login", "extra"],
    ["version", "extra"],
    ["completion"],
    ["completion", "tcsh"],
    ["completion", "bash", "extra"],
    ["licenses", "extra"],
    ["login", "--port"],
    ["login", "--port", "70000"],
    ["login", "--port", "-1"],
    ["login", "--port=1e3"],
    ["login", "--timeout", "soon"],
    ["login", "--redirect-host", "0.0.0.0"],
    ["login", "--no-browser", "--browser", "x"],
    ["login", "--issuer", "http://evil.test"],
    ["login", "--api-key", "sk-secret"],
    ["login", "--api-key=sk-secret"],
    ["login", "--api-key"],
    ["login", "--device-auth", "--no-browser"],
    ["login", "--device-auth", "--browser", "x"],
    ["login", "--device-auth", "--port", "0"],
    ["login", "--device-auth", "--redirect-host", "localhost"],
    ["login", "--device-auth", "--with-api-key"],
    ["login", "--device-auth", "--with-access-token"],
    ["login", "--device-auth", "--timeout", "soon"],
    ["-c", "novalue", "status"],
  ];
  for (const args of rows) {
    await using home = await createHome();
    const { exitCode, world } = await run(...args, "--codex-home", home.path);
    const words = world.words.join("\n");
    assert.equal(exitCode, 2, args.join(" "));
    assert.match(words, /^error\[(USAGE|CONFIG|ISSUER_INVALID)\]: .+\n[^]* {2}try: {3}.+/);
    assert.ok(!words.includes("sk-secret"));
    assert.deepEqual(world.data, []);
    assert.ok(!(await home.list()).includes("auth.json"));
  }
});

test("wrong usage says what was wrong, in words of its own", async () => {
  const rows: [args: string[], words: RegExp][] = [
    [["login", "--api-key", "sk-1"], /can be seen by others[^]*printenv OPENAI_API_KEY/],
    [["login", "--api-key=sk-1"], /can be seen by others/],
    [["status", "--codex-home", ""], /--codex-home needs a value/],
    [["login", "--expect-workspace="], /--expect-workspace needs a value/],
    [
      ["login", "--expect-workspace", "a", "--expect-workspace", ""],
      /--expect-workspace needs a value/,
    ],
    [["status", "--port", "1"], /--port does not belong to "status"/],
    [["bogus"], /There is no command "bogus"/],
    [["login", "--redirect-host", "0.0.0.0"], /must be 127\.0\.0\.1 or localhost/],
  ];
  for (const [args, words] of rows) {
    const { exitCode, world } = await run(...args);
    assert.equal(exitCode, 2);
    assert.match(world.words.join("\n"), words, args.join(" "));
  }
});

test("--with-api-key refuses checks that it would not make", async () => {
  for (const option of ["--expect-workspace", "--port", "--browser", "--issuer", "--client-id"]) {
    await using home = await createHome();
    const { exitCode, world } = await run(
      "login",
      "--with-api-key",
      option,
      "1",
      "--codex-home",
      home.path,
    );
    assert.equal(exitCode, 2, option);
    assert.match(world.words.join(), /cannot be used together|cannot be used/);
    assert.deepEqual(await home.list(), []);
  }
});

test("a login that is not understood fails as an event too", async () => {
  for (
    const args of [["--bogus", "--json"], ["login", "--bogus", "--json"], [
      "login",
      "--port",
      "x",
      "--json",
    ]]
  ) {
    assert.equal(JSON.parse((await run(...args)).world.data[0] ?? "").event, "failed");
  }
  assert.equal(
    JSON.parse((await run("status", "--bogus", "--json")).world.data[0] ?? "").event,
    undefined,
  );
});

verifies("S69", "runCli() never rejects, also when nothing can be written", async () => {
  const failed = new LoginError("OUTPUT_FAILED", "stdout cannot be written");
  const world = await createWorld({
    answerData: () => Promise.reject(failed),
    writeData: () => {
      throw failed;
    },
  });
  assert.equal(await runCli(["status", "--json", "--codex-home", "/nowhere"], world), 3);
  assert.match(world.words.join("\n"), /error\[OUTPUT_FAILED\][^]*try:/);
});

test("a key that is saved but cannot be reported says that it is saved", async () => {
  await using home = await createHome();
  const world = await createWorld({
    stdin: { read: () => Promise.resolve(Buffer.from("sk-0123456789abcdefghij")) },
    writeData: () => {
      throw new LoginError("OUTPUT_FAILED", "stdout cannot be written");
    },
  });
  assert.equal(
    await runCli(["login", "--with-api-key", "--json", "--codex-home", home.path], world),
    0,
  );
  assert.match(world.words.join("\n"), /Warning: the login is saved, but stdout cannot be written/);
  assert.ok((await home.list()).includes("auth.json"));
});

test("wrong usage makes no folder and no log", async () => {
  await using home = await createHome();
  await run("login", "--timeout", "soon", "--codex-home", home.path);
  assert.deepEqual(await home.list(), []);
});

test("a file in the place of CODEX_HOME is told, and not taken for nobody signed in", async () => {
  await using home = await createHome();
  await home.writeAuth("x");
  for (const command of ["login", "status", "logout"]) {
    const { exitCode, world } = await run(command, "--codex-home", home.authPath);
    assert.equal(exitCode, 2);
    assert.match(world.words.join("\n"), /auth\.json is not a folder/);
  }
});

test("with --json a failure is JSON on stdout too", async () => {
  const { world } = await run("status", "--bogus", "--json");
  const { error } = JSON.parse(world.data[0] ?? "");
  assert.equal(error.code, "USAGE");
  assert.deepEqual(Object.keys(error), ["code", "message", "cause", "hint"]);
});

test("--quiet leaves only what is needed", async () => {
  await using home = await createHome();
  const world = await createWorld({
    stdin: {
      read: () => Promise.resolve(Buffer.from("sk-0123456789abcdefghij")),
    },
  });
  assert.equal(
    await runCli(["login", "--with-api-key", "--quiet", "--codex-home", home.path], world),
    0,
  );
  assert.deepEqual([...world.words, ...world.data], []);
});

test("--verbose shows the log's lines, and a login without a log is still a login", async () => {
  await using home = await createHome();
  const key = {
    read: () => Promise.resolve(Buffer.from("sk-0123456789abcdefghij")),
  };
  const world = await createWorld({ stdin: key });
  await runCli(["login", "--with-api-key", "--verbose", "--codex-home", home.path], world);
  assert.match(world.words.join("\n"), /INFO codex_cli::login: starting api key login flow/);

  await mkdir(join(home.path, "nolog", "codex-login.log"), { recursive: true });
  const unlogged = await createWorld({ stdin: key });
  const args = [
    "login",
    "--with-api-key",
    "-c",
    `log_dir=${join(home.path, "nolog")}`,
    "--codex-home",
    home.path,
  ];
  assert.equal(await runCli(args, unlogged), 0);
  assert.match(unlogged.words.join("\n"), /Warning: The log .+ cannot be written/);
});

test("settings that cannot be read stop a command with their place", async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "config.toml"), "a = = b");
  await chmod(join(home.path, "config.toml"), 0o600);
  for (const command of ["status", "login", "logout"]) {
    const { exitCode, world } = await run(command, "--codex-home", home.path);
    assert.equal(exitCode, 2);
    assert.match(
      world.words.join("\n"),
      /config\.toml cannot be used\n {2}cause: line 1, column 5/,
    );
  }
});

test("parseArguments() reads what is written out as the platform's own parser does", async () => {
  const word = fc.constantFrom(
    ...["status", "login", "--json", "--quiet", "--local-only", "", "x"],
    ...["--port", "--expect-workspace", "--config", "--codex-home", "a=b", "7"],
  );
  const read = async (args: readonly string[]): Promise<unknown> => {
    try {
      const { command, options, words } = await parseArguments(args);
      const flags = ["json", "quiet", "local-only", "plain"].map(options.flag);
      const texts = ["json", "port", "codex-home", "expect-workspace"].map(options.text);
      const lists = ["json", "port", "config", "expect-workspace"].map(options.list);
      return { command, words, flags, texts, lists };
    } catch (thrown) {
      return toLoginError(thrown).message;
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
      fc.pre(
        !["--port", "--expect-workspace", "--config", "--codex-home"].includes(args.at(-1) ?? ""),
      );
      // Two dashes at the end change nothing, but have it go the long way.
      assert.deepEqual(await read([...args, "--"]), await read(args));
    }),
    { numRuns: 1_000 },
  );
});

test("parseArguments() gives an invocation or a LoginError, whatever the arguments are", async () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "login",
      "status",
      "help",
      "--",
      "-c",
      "--json",
      "--port",
      "--port=",
      "-",
      "--no-json",
      "-cx",
      "-hc",
    ),
  );
  await fc.assert(fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
    try {
      await parseArguments(args);
    } catch (thrown) {
      assert.ok(thrown instanceof LoginError && thrown.code === "USAGE", String(thrown));
    }
  }));
});
