import { MAX_TIMER_MS, parseDuration } from "../duration.ts";
import { LoginError, toLoginError } from "../errors.ts";
import { loginWithAccessToken } from "../access_token_login.ts";
import { loginWithApiKey } from "../key_login.ts";
import type { RedirectHost } from "../listener.ts";
import type { LoginOptions } from "../login.ts";
import { TERMINAL } from "../pages.ts";
import { maskKey, printable } from "../printable.ts";
import { detectSurroundings } from "../surroundings.ts";
import { systemFiles } from "../system_files.ts";
import { readStatus } from "../status.ts";
import { environmentValue, type World } from "../world.ts";
import { accountJson, describeAccount, describePlace } from "../account_words.ts";
import type { CommandContext, OptionValues } from "./command.ts";
import { type AskedMethod, askKey, askMethod } from "./ask_method.ts";
import { runBrowserLogin } from "./browser_login.ts";
import { runDeviceLogin } from "./device_login.ts";
import { tellCompleted } from "./login_words.ts";

const TARGET = "codex_cli::login";
const DEFAULT_TIMEOUT = "10m";

/** Flags to a login, and what it tells to words or to JSON lines. */
export async function runLogin(context: CommandContext): Promise<number> {
  const { options } = context;
  const timeout = options.text("timeout") ?? DEFAULT_TIMEOUT;
  const timeoutMs = parseDuration(timeout, "--timeout", MAX_TIMER_MS);
  const { canOpenBrowser } = detectSurroundings(context.world, systemFiles, 0);
  const asked = await askMethod(context, canOpenBrowser ? "browser" : "device code");
  const method = asked ?? readMethod(options);
  const loginOptions = readLoginOptions(options, timeoutMs);
  let isSaved = false;
  await context.startLog();
  const world: World = {
    ...context.world,
    saved(): void {
      isSaved = true;
      context.world.saved();
    },
  };
  await world.runtime.protectMemory();
  try {
    const own = { ...context, world };
    switch (method) {
      case "key":
        await runKeyLogin(own, timeoutMs, asked && (() => askKey(own)));
        break;
      case "access token":
        await runAccessTokenLogin(own, loginOptions);
        break;
      case "device code":
        await runDeviceLogin(own, loginOptions);
        break;
      case "browser":
        await runBrowserOrDeviceLogin(own, loginOptions);
    }
  } catch (thrown) {
    const error = toLoginError(thrown);
    if (isSaved) error.note = "the new login is saved";
    else if (error.note === undefined && await hasLogin(context)) {
      error.note = "your earlier login is untouched";
    }
    throw error;
  }
  if (environmentValue(world, "CODEX_ACCESS_TOKEN")) {
    context.say("CODEX_ACCESS_TOKEN is set: programs use it instead of this login.");
  }
  return 0;
}

async function runBrowserOrDeviceLogin(
  context: CommandContext,
  loginOptions: LoginOptions,
): Promise<void> {
  const flow = await runBrowserLogin(context, loginOptions);
  if (!flow) return;
  context.say("Going on with a device code.");
  // Its notes were told already.
  const told = { ...context, config: { ...context.config, notes: [] } };
  await runDeviceLogin(told, loginOptions, flow);
}

async function hasLogin({ world, config }: CommandContext): Promise<boolean> {
  try {
    return (await readStatus({ ...world, env: { ...world.env, CODEX_ACCESS_TOKEN: "" } }, config))
      .loggedIn;
  } catch {
    return false;
  }
}

async function runKeyLogin(
  { world, config, json, say }: CommandContext,
  timeoutMs: number,
  ask: (() => Promise<string>) | undefined,
): Promise<void> {
  world.log.write("info", TARGET, "starting api key login flow");
  const { kind, path, apiKey } = await loginWithApiKey(world, config, {
    timeoutMs,
    ask,
    tell: say,
  });
  if (json) tellCompleted(world, { account: null, store: kind, path });
  else {
    say(`API key ${maskKey(apiKey)} saved in ${describePlace({ path, store: kind })}.`);
    say("It will be checked when it is first used.");
  }
}

async function runAccessTokenLogin(
  { world, config, json, say }: CommandContext,
  options: LoginOptions,
): Promise<void> {
  world.log.write("info", TARGET, "starting access token login flow");
  const { kind, path, account } = await loginWithAccessToken(world, config, {
    ...options,
    tell: say,
  });
  if (json) tellCompleted(world, { account: accountJson(account), store: kind, path });
  else {
    say(`Signed in as ${describeAccount(account)}.`);
    say(`Saved in ${describePlace({ path, store: kind })}.`);
  }
}

type Method = AskedMethod | "access token";

const BROWSER_OPTIONS = ["no-browser", "browser", "port", "redirect-host", "paste"];
/** By flag: what would be ignored. A check that was asked for must not be skipped in silence. */
const FOREIGN: ReadonlyArray<readonly [flag: string, method: Method, foreign: readonly string[]]> =
  [
    ["with-api-key", "key", [
      "with-access-token",
      "device-auth",
      ...BROWSER_OPTIONS,
      "client-id",
      "expect-workspace",
      "issuer",
    ]],
    ["with-access-token", "access token", [
      "with-api-key",
      "device-auth",
      ...BROWSER_OPTIONS,
      "client-id",
    ]],
    ["device-auth", "device code", BROWSER_OPTIONS],
  ];

/** @throws {LoginError} USAGE */
function readMethod(options: OptionValues): Method {
  const chosen = FOREIGN.find(([flag]) => options.flag(flag));
  if (!chosen) return "browser";
  const [flag, method, foreign] = chosen;
  const given = foreign.find((name) => options.flag(name) || options.list(name).length > 0);
  if (given === undefined) return method;
  throw new LoginError("USAGE", `--${flag} and --${given} cannot be used together`);
}

/** @throws {LoginError} USAGE */
function readLoginOptions(options: OptionValues, timeoutMs: number): LoginOptions {
  const redirectHost = options.text("redirect-host") ?? "127.0.0.1";
  if (redirectHost !== "127.0.0.1" && redirectHost !== "localhost") {
    throw new LoginError("USAGE", "--redirect-host must be 127.0.0.1 or localhost");
  }
  if (options.flag("no-browser") && options.text("browser") !== undefined) {
    throw new LoginError("USAGE", "--no-browser and --browser cannot be used together");
  }
  return {
    openBrowser: !options.flag("no-browser"),
    browser: options.text("browser"),
    port: readPort(options.text("port")),
    redirectHost: redirectHost satisfies RedirectHost,
    timeoutMs,
    expectedWorkspaceIds: options.list("expect-workspace"),
    landing: TERMINAL,
  };
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new LoginError("USAGE", `--port ${printable(text, 20)} is not a port`, {
    hint: "--port 0 picks a free one",
  });
}
