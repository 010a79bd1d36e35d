import { type DeviceFlow, startDeviceFlow } from "../device_flow.ts";
import { toLoginError } from "../errors.ts";
import { login, type LoginEvent, type LoginHandle, type LoginOptions } from "../login.ts";
import { TERMINAL } from "../pages.ts";
import { followPastes } from "../paste_input.ts";
import { printable } from "../printable.ts";
import type { CommandContext } from "./command.ts";
import { createLoginScreen } from "./login_screen.ts";
import { tellInJson, tellInWords } from "./login_words.ts";

const TARGET = "codex_cli::login";

/**
 * Signs in with the browser; on a terminal with keys that work meanwhile.
 *
 * @returns the device code that the person chose instead, if so.
 * @throws {LoginError}
 */
export async function runBrowserLogin(
  context: CommandContext,
  loginOptions: Omit<LoginOptions, "landing">,
): Promise<DeviceFlow | undefined> {
  const { options, config, json } = context;
  context.world.log.write("info", TARGET, "starting browser login flow");
  const screen = await createLoginScreen(context);
  const own = screen.context;
  const drawQr = await screen.loadQr();
  const tell = json ? tellInJson(own) : tellInWords(own, await own.style(), drawQr);
  const readsPaste = options.flag("paste") && !await own.world.isTerminal("stdin");
  const ended = new AbortController();
  let flow: DeviceFlow | undefined;
  let isAsking = false;

  function readPastes({ paste }: LoginHandle): void {
    void followPastes(own.world, paste, own.say, ended.signal);
  }

  /** The browser's login is given up only for a code that is there. */
  async function useDeviceCode({ giveWay }: LoginHandle): Promise<void> {
    if (isAsking || flow) return;
    isAsking = true;
    try {
      const begun = await startDeviceFlow(own.world, config, own.say);
      if (giveWay()) flow = begun;
    } catch (thrown) {
      const { message, reason = "no reason given" } = toLoginError(thrown);
      own.say(printable(`${message} (${reason}). The browser can still be used.`));
    } finally {
      isAsking = false;
    }
  }

  function onEvent(event: LoginEvent): void {
    // The line with the time has nothing to tell any more.
    if (event.type === "saved") screen.close();
    tell(event);
    if (event.type !== "waiting") return;
    if (readsPaste) readPastes(event.handle);
    else {
      const { authUrl, handle } = event;
      screen.showBrowserLogin(
        authUrl,
        handle,
        loginOptions.timeoutMs,
        () => void useDeviceCode(handle),
      );
    }
  }

  try {
    await login(own.world, config, { ...loginOptions, landing: TERMINAL }, onEvent);
    return undefined;
  } catch (thrown) {
    if (flow) return flow;
    throw thrown;
  } finally {
    ended.abort();
    screen.close();
  }
}
