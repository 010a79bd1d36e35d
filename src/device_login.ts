import { acceptTokens, type SavedLogin } from "./accept_tokens.ts";
import type { Config } from "./config.ts";
import { type DeviceFlow, startDeviceFlow } from "./device_flow.ts";
import { pollUntilGranted } from "./device_polling.ts";
import { formatDuration } from "./duration.ts";
import { LoginError } from "./errors.ts";
import { DEVICE_LOGIN_AGAIN, deviceCodeExpired } from "./oauth/poll_answer.ts";
import { prepareLogin } from "./preflight.ts";
import { tellStep } from "./story.ts";
import { waitForFollowUp } from "./waiting.ts";
import type { World } from "./world.ts";

const TARGET = "codex_login::device_code_auth";

export interface DeviceLoginOptions {
  /** Milliseconds until a login that nobody completes ends; 0 or undefined for as long as the code is good. */
  readonly timeoutMs: number | undefined;
  readonly expectedWorkspaceIds: readonly string[];
  /** One that was begun already; without it the issuer is asked for one. */
  readonly flow?: DeviceFlow | undefined;
}

/** What a login with a device code tells while it runs. */
export type DeviceLoginEvent =
  | {
    readonly type: "device_code";
    readonly verificationUrl: string;
    readonly userCode: string;
    /** When the code, or our patience, ends: ms since the epoch. */
    readonly expiresAt: number;
  }
  | { readonly type: "saved"; readonly login: SavedLogin }
  | { readonly type: "note"; readonly message: string };

/**
 * Signs a person in with a code that they enter on any device with a browser, and saves the login. Whatever fails, an earlier
 * login stays as it was.
 *
 * @throws {LoginError}
 * @see https://www.rfc-editor.org/rfc/rfc8628
 */
export async function deviceLogin(
  world: World,
  config: Config,
  { timeoutMs = 0, expectedWorkspaceIds, flow }: DeviceLoginOptions,
  tell: (event: DeviceLoginEvent) => void,
): Promise<SavedLogin> {
  const note = (message: string): void => tell({ type: "note", message });
  const giveUpAt = timeoutMs > 0 ? world.elapsed() + timeoutMs : Infinity;
  const { store, allowedWorkspaceIds } = await prepareLogin(
    world,
    config,
    expectedWorkspaceIds,
    note,
  );
  for (const message of config.notes) note(message);

  const { code, poll } = flow ?? await startDeviceFlow(world, config, note);
  world.log.write("info", TARGET, "received a device code", { issuer: `${config.issuer.base}/` });
  const codeEndsAt = world.elapsed() + code.lifetimeMs;
  const deadline = Math.min(codeEndsAt, giveUpAt);
  tell({
    type: "device_code",
    verificationUrl: code.verificationUrl,
    userCode: code.userCode,
    expiresAt: world.now() + deadline - world.elapsed(),
  });

  let isTold = false;
  const redeem = await pollUntilGranted(world, {
    intervalMs: code.intervalMs,
    deadline,
    poll,
    onUnavailable(why): void {
      world.log.write("warning", TARGET, "the issuer could not be asked", { code: why });
      if (!isTold) {
        note(`The issuer could not be asked (${why}); trying again until the code expires.`);
      }
      isTold = true;
    },
    expired: (why) => {
      const reason = why === undefined
        ? undefined
        : `at last the issuer could not be asked (${why})`;
      return codeEndsAt <= giveUpAt ? deviceCodeExpired(reason) : timedOut(timeoutMs, reason);
    },
  });
  world.log.write("info", TARGET, "the device code was entered");
  const tokens = await tellStep(world, "token exchange", redeem);
  const accepted = await acceptTokens(world, config, store, {
    client: config,
    tokens,
    wantsApiKey: false,
    allowedWorkspaceIds,
    tell: note,
  });
  const login: SavedLogin = {
    account: accepted.account,
    store: store.kind,
    path: store.path,
    onboardingEntrypoint: undefined,
  };
  tell({ type: "saved", login });
  await waitForFollowUp(world, accepted.followUp, note);
  return login;
}

function timedOut(timeoutMs: number, reason: string | undefined): LoginError {
  const limit = formatDuration(timeoutMs);
  return new LoginError("LOGIN_TIMEOUT", `Nobody completed the sign-in within ${limit}`, {
    ...(reason === undefined ? {} : { reason }),
    hint: `${DEVICE_LOGIN_AGAIN} (without --timeout the code's own time counts)`,
  });
}
