import { formatJson } from "../json.ts";
import { parseDuration } from "../duration.ts";
import { LoginError, toLoginError } from "../errors.ts";
import { loginWithApiKey } from "../key_login.ts";
import type { RedirectHost } from "../listener.ts";
import { login, type LoginEvent, type LoginOptions } from "../login.ts";
import { maskKey, printable } from "../printable.ts";
import { readStatus } from "../status.ts";
import { environmentValue, type World } from "../world.ts";
import { formatLink, type TerminalStyle } from "../terminal.ts";
import { accountJson, describeAccount, describePlace } from "./account_words.ts";
import type { CommandContext, OptionValues } from "./command.ts";

const TARGET = "codex_cli::login";
const DEFAULT_TIMEOUT = "10m";
const NOT_YET: Readonly<Record<string, string>> = {
  "device-auth": "ssh -L 1455:127.0.0.1:1455 HOST, and there codex-login --no-browser",
  "with-access-token": "codex-login",
};

/** Flags to a login, and what it tells to words or to JSON lines. */
export async function runLogin(context: CommandContext): Promise<number> {
  const { options } = context;
  for (const [name, hint] of Object.entries(NOT_YET)) {
    if (options.flag(name)) {
      throw new LoginError("USAGE", `--${name} is not available in this version`, { hint });
    }
  }
  const timeoutMs = parseDuration(options.text("timeout") ?? DEFAULT_TIMEOUT, "--timeout");
  const isKey = options.flag("with-api-key");
  if (isKey) refuseBrowserOptions(options);
  const loginOptions = readLoginOptions(options, timeoutMs);
  let isSaved = false;
  const logged = await context.startLog();
  const world: World = {
    ...logged,
    saved(): void {
      isSaved = true;
      logged.saved();
    },
  };
  await world.runtime.protectMemory();
  try {
    if (isKey) await runKeyLogin({ ...context, world }, timeoutMs);
    else await runBrowserLogin({ ...context, world }, loginOptions);
  } catch (thrown) {
    const error = toLoginError(thrown);
    world.log.write("error", TARGET, "command failed", { code: error.code });
    if (isSaved) error.note = "the new login is saved";
    else if (await hasLogin(context)) error.note = "your earlier login is untouched";
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
  const { store, path, apiKey } = await loginWithApiKey(world, config, { timeoutMs, tell: say });
  if (json) tellCompleted(world, { account: null, store, path });
  else {
    say(`API key ${maskKey(apiKey)} saved in ${describePlace(path)}.`);
    say("It will be checked when it is first used.");
  }
}

/** @throws {LoginError} USAGE: a check that was asked for must not be skipped in silence. */
function refuseBrowserOptions(options: OptionValues): void {
  const own = [
    "no-browser",
    "browser",
    "port",
    "redirect-host",
    "expect-workspace",
    "issuer",
    "client-id",
  ];
  const given = own.find((name) => options.flag(name) || options.list(name).length > 0);
  if (given === undefined) return;
  throw new LoginError("USAGE", `--with-api-key and --${given} cannot be used together`);
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

function tellInJson({ world, say }: CommandContext): (event: LoginEvent) => void {
  return (event) => {
    switch (event.type) {
      case "note":
        return say(printable(event.message));
      case "waiting": {
        const { authUrl, port } = event;
        return world.writeData(formatJson({ event: "waiting", authUrl, port }));
      }
      case "saved": {
        const { account, store, path } = event.login;
        return tellCompleted(world, { account: accountJson(account), store, path });
      }
    }
  };
}

/** The login is saved: that nobody can be told is no failure of it any more. */
function tellCompleted(world: World, members: Record<string, unknown>): void {
  try {
    world.writeData(formatJson({ event: "completed", ...members }));
  } catch (thrown) {
    const { message, reason } = toLoginError(thrown);
    world.writeWords(printable(`Warning: the login is saved, but ${message} (${reason}).`));
  }
}

function tellInWords(
  { world, options, say }: CommandContext,
  style: TerminalStyle,
): (event: LoginEvent) => void {
  return (event) => {
    switch (event.type) {
      case "note":
        return say(printable(event.message));
      case "waiting": {
        // Even quiet has to show the address: without it nobody can sign in.
        const opens = !options.flag("no-browser");
        say(
          opens ? "Opening this address in your browser:" : "Open this address to sign in:",
        );
        world.writeWords(formatLink(event.authUrl, style));
        return say(
          `Waiting on port ${event.port} (Ctrl-C cancels). Is the browser on another machine? ` +
            `Run there first: ssh -L ${event.port}:127.0.0.1:${event.port} THIS-HOST`,
        );
      }
      case "saved":
        say(`Signed in as ${describeAccount(event.login.account)}.`);
        return say(`Saved in ${describePlace(event.login.path)}.`);
    }
  };
}
