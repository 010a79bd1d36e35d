import type { Config } from "./config.ts";
import { prepareStore } from "./credentials/prepare_store.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { toLoginError } from "./errors.ts";
import { refuseForbiddenMethod } from "./login_method.ts";
import type { Issuer } from "./oauth/issuer.ts";
import { tellStep } from "./story.ts";
import { VERSION } from "./version.ts";
import { allowedWorkspaces } from "./workspace.ts";
import type { World } from "./world.ts";

/** Milliseconds for the issuer to answer: whoever reads the warning is still at the browser. */
const REACH_MS = 3_000;

/** What a sign-in needs before a person is sent anywhere. */
export interface Prepared {
  readonly store: CredentialStore;
  readonly allowedWorkspaceIds: readonly string[];
}

/**
 * What would stop a sign-in after the person has done their part is found out before, in milliseconds: a method that is not
 * allowed, a store that cannot take the result. Nobody is asked.
 *
 * @throws {LoginError} LOGIN_METHOD_FORBIDDEN, USAGE, or exit code 3.
 */
export async function prepareLogin(
  world: World,
  config: Config,
  expectedWorkspaceIds: readonly string[],
  note: (message: string) => void,
): Promise<Prepared> {
  world.log.write("info", "codex_login::story", "preparing a sign-in", {
    version: VERSION,
    runtime: world.runtime.name,
    platform: world.platform,
    issuer: `${config.issuer.base}/`,
  });
  refuseForbiddenMethod(config);
  const allowedWorkspaceIds = allowedWorkspaces(config.forcedWorkspaceIds, expectedWorkspaceIds);
  const store = await tellStep(world, "store check", () => prepareStore(world, config, note));
  await world.checkRoute?.(config.issuer.base);
  world.signal.throwIfAborted();
  return { store, allowedWorkspaceIds };
}

/** What an answer says that came, even if it cannot be read: it did come. */
const ANSWERED: ReadonlySet<string> = new Set(["RESPONSE_TOO_LARGE", "TOKEN_RESPONSE_INVALID"]);

/**
 * Asks the issuer's origin for a sign of life, once and with nothing of the sign-in in it: whatever it answers will do.
 *
 * @returns a warning when nothing comes; it never rejects. Undefined when `signal` made the question moot.
 */
export async function checkReachable(
  { fetch, signal: ending }: Pick<World, "fetch" | "signal">,
  { base }: Issuer,
  signal: AbortSignal,
): Promise<string | undefined> {
  const moot = AbortSignal.any([ending, signal]);
  try {
    const { origin } = new URL(base);
    const init = { method: "HEAD", redirect: "manual", limitMs: REACH_MS, signal: moot } as const;
    await fetch(`${origin}/`, init);
    return undefined;
  } catch (thrown) {
    const { code, message, reason, hint } = toLoginError(thrown);
    if (moot.aborted || ANSWERED.has(code)) return undefined;
    const cause = reason === undefined ? code : `${code}: ${reason}`;
    return `Warning: ${message} (${cause}). The sign-in can be done in the browser, but not ` +
      `completed here: ${hint}.`;
  }
}
