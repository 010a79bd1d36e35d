import { MAX_TIMER_MS, parseDuration } from "../duration.ts";
import { LoginError, toLoginError } from "../errors.ts";
import { bindEarly, type RedirectHost, REGISTERED_PORTS } from "../binding.ts";
import type { LoginOptions } from "../login.ts";
import { printable } from "../printable.ts";
import { environmentValue, type World } from "../world.ts";
import type { AskedMethod } from "./ask_method.ts";
import type { CommandContext, OptionValues } from "./command.ts";

const DEFAULT_TIMEOUT = "10m";

/** Flags to a login. What does it is loaded when it is known which, and for a browser when its port is taken. */
export async function runLogin(context: CommandContext): Promise<number> {
  const { options } = context;
  const timeout = options.text("timeout") ?? DEFAULT_TIMEOUT;
  const timeoutMs = parseDuration(timeout, "--timeout", MAX_TIMER_MS);
  const asked = context.isBare
    ? await (await import("./ask_method.ts")).askMethod(context)
    : undefined;
  const method = asked ?? readMethod(options);
  const loginOptions = readLoginOptions(options, timeoutMs);
  const early = method === "browser" ? takePort(context, loginOptions) : undefined;
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
      case "key": {
        const { runKeyLogin } = await import("./key_login.ts");
        await runKeyLogin(own, timeoutMs, asked !== undefined);
        break;
      }
      case "access token":
        await (await import("./key_login.ts")).runAccessTokenLogin(own, loginOptions);
        break;
      case "device code":
        await (await import("./device_login.ts")).runDeviceLogin(own, loginOptions);
        break;
      case "browser":
        await runBrowserOrDeviceLogin(own, { ...loginOptions, early });
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

function takePort(
  { world }: CommandContext,
  { port, redirectHost }: Pick<LoginOptions, "port" | "redirectHost">,
): NonNullable<LoginOptions["early"]> {
  return bindEarly(world.runtime, port ?? REGISTERED_PORTS[0], redirectHost);
}

async function runBrowserOrDeviceLogin(
  context: CommandContext,
  loginOptions: Omit<LoginOptions, "landing">,
): Promise<void> {
  const { runBrowserLogin } = await import("./browser_login.ts");
  const flow = await runBrowserLogin(context, loginOptions);
  if (!flow) return;
  context.say("Going on with a device code.");
  // Its notes were told already.
  const told = { ...context, config: { ...context.config, notes: [] } };
  const { runDeviceLogin } = await import("./device_login.ts");
  await runDeviceLogin(told, loginOptions, flow);
}

async function hasLogin({ world, config }: CommandContext): Promise<boolean> {
  try {
    const { readStatus } = await import("../status.ts");
    return (await readStatus({ ...world, env: { ...world.env, CODEX_ACCESS_TOKEN: "" } }, config))
      .loggedIn;
  } catch {
    return false;
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
function readLoginOptions(
  options: OptionValues,
  timeoutMs: number,
): Omit<LoginOptions, "landing"> {
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
