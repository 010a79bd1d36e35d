import type { DeviceFlow } from "../device_flow.ts";
import { deviceLogin, type DeviceLoginEvent } from "../device_login.ts";
import type { LoginOptions } from "../login.ts";
import type { CommandContext } from "./command.ts";
import { createLoginScreen } from "./login_screen.ts";
import { tellInJson, tellInWords } from "./login_words.ts";

const TARGET = "codex_cli::login";

/**
 * Signs in with a code that is entered on another device; on a terminal with keys that work meanwhile.
 *
 * @param flow one that was begun already.
 * @throws {LoginError}
 */
export async function runDeviceLogin(
  context: CommandContext,
  { timeoutMs, expectedWorkspaceIds }: Pick<LoginOptions, "timeoutMs" | "expectedWorkspaceIds">,
  flow?: DeviceFlow,
): Promise<void> {
  const { config, options, json } = context;
  context.world.log.write("info", TARGET, "starting device code login flow");
  const screen = await createLoginScreen(context);
  const own = screen.context;
  const drawQr = await screen.loadQr();
  const tell = json ? tellInJson(own) : tellInWords(own, await own.style(), drawQr);

  function onEvent(event: DeviceLoginEvent): void {
    // The line with the time has nothing to tell any more.
    if (event.type === "saved") screen.close();
    tell(event);
    if (event.type !== "device_code") return;
    const { verificationUrl, userCode, expiresAt } = event;
    screen.showDeviceLogin(verificationUrl, userCode, expiresAt - own.world.now());
  }

  try {
    await deviceLogin(own.world, config, {
      // The browser's own limit means nothing here.
      timeoutMs: options.text("timeout") === undefined ? undefined : timeoutMs,
      expectedWorkspaceIds,
      flow,
    }, onEvent);
  } finally {
    screen.close();
  }
}
