import { deviceLogin } from "../device_login.ts";
import { MAX_TIMER_MS, parseDuration } from "../duration.ts";
import { LoginError, toLoginError } from "../errors.ts";
import { loginWithAccessToken } from "../access_token_login.ts";
import { loginWithApiKey } from "../key_login.ts";
import type { RedirectHost } from "../listener.ts";
import { login, type LoginOptions } from "../login.ts";
import { maskKey, printable } from "../printable.ts";
import { readStatus } from "../status.ts";
import { environmentValue, type World } from "../world.ts";
import { accountJson, describeAccount, describePlace } from "./account_words.ts";
import type { CommandContext, OptionValues } from "./command.ts";
import { tellCompleted, tellInJson, tellInWords } from "./login_words.ts";

const TARGET = "codex_cli::login";
const DEFAULT_TIMEOUT = "10m";

/** Flags to a login, and what it tells to words or to JSON lines. */
export async function runLogin(context: CommandContext): Promise<number> {
  const { options } = context;
  const timeout = options.text("timeout") ?? DEFAULT_TIMEOUT;
  const timeoutMs = parseDuration(timeout, "--timeout", MAX_TIMER_MS);
  const method = readMethod(options);
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
        await runKeyLogin(own, timeoutMs);
        break;
      case "access token":
        await runAccessTokenLogin(own, loginOptions);
        break;
      case "device":
        await runDeviceLogin(own, loginOptions);
        break;
      case "browser":
        await runBrowserLogin(own, loginOptions);
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

async function runBrowserLogin(context: CommandContext, loginOptions: LoginOptions): Promise<void> {
  const { world, config, json } = context;
  world.log.write("info", TARGET, "starting browser login flow");
  const tell = json ? tellInJson(context) : tellInWords(context, await context.style());
  await login(world, config, loginOptions, tell);
}

async function runDeviceLogin(
  context: CommandContext,
  { timeoutMs, expectedWorkspaceIds }: LoginOptions,
): Promise<void> {
  const { world, config, options, json } = context;
  world.log.write("info", TARGET, "starting device code login flow");
  const tell = json ? tellInJson(context) : tellInWords(context, await context.style());
  await deviceLogin(world, config, {
    timeoutMs: options.text("timeout") === undefined ? undefined : timeoutMs,
    expectedWorkspaceIds,
    isIssuerNamed: ["issuer", "experimental_issuer"].some((name) => options.text(name)),
  }, tell);
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
): Promise<void> {
  world.log.write("info", TARGET, "starting api key login flow");
  const { kind, path, apiKey } = await loginWithApiKey(world, config, { timeoutMs, tell: say });
  if (json) tellCompleted(world, { account: null, store: kind, path });
  else {
    say(`API key ${maskKey(apiKey)} saved in ${describePlace(path)}.`);
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
    say(`Saved in ${describePlace(path)}.`);
  }
}

type Method = "browser" | "key" | "access token" | "device";

const BROWSER_OPTIONS = ["no-browser", "browser", "port", "redirect-host"];
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
    ["device-auth", "device", BROWSER_OPTIONS],
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
