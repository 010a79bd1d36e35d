import { type AcceptedLogin, acceptTokens } from "./accept_tokens.ts";
import type { Config } from "./config.ts";
import type { CredentialStore } from "./credentials/store.ts";
import { exchangeCode } from "./exchange.ts";
import type { LoginAttempt } from "./oauth/attempt.ts";
import { tellStep } from "./story.ts";
import type { World } from "./world.ts";

/** How one attempt's code becomes a stored login. */
export interface Redemption {
  /** @throws {LoginError} */
  complete(code: string): Promise<AcceptedLogin>;
  /** What goes on after the login is saved, if it was; it never rejects. */
  followUp(): Promise<void>;
}

export function createRedemption(
  world: World,
  config: Config,
  { attempt, store, allowedWorkspaceIds, tell }: {
    readonly attempt: LoginAttempt;
    readonly store: CredentialStore;
    readonly allowedWorkspaceIds: readonly string[];
    readonly tell: (note: string) => void;
  },
): Redemption {
  for (const secret of [attempt.state, attempt.codeVerifier]) world.log.hide(secret);
  const began = world.elapsed();
  let followUp: Promise<void> = Promise.resolve();
  return {
    async complete(code): Promise<AcceptedLogin> {
      world.log.hide(code);
      world.log.write("info", "codex_login::story", "a code came", {
        duration_ms: Math.round(world.elapsed() - began),
      });
      const tokens = await tellStep(
        world,
        "token exchange",
        () =>
          exchangeCode(world, attempt, code, (error) => {
            tell(`The issuer could not be reached (${error.code}); trying again.`);
          }),
      );
      const accepted = await acceptTokens(world, config, store, {
        client: attempt,
        tokens,
        wantsApiKey: true,
        allowedWorkspaceIds,
        tell,
      });
      followUp = accepted.followUp;
      return accepted;
    },
    followUp: () => followUp,
  };
}
