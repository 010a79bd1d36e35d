import type { LoginType, StartParams } from "./app_server_params.ts";
import type { Config } from "./config.ts";
import type { AuthMode } from "./credentials/auth_file.ts";
import { toLoginError } from "./errors.ts";
import { acceptExternalTokens, type ExternalLogin, type ExternalTokens } from "./external_auth.ts";
import type { JsonObject } from "./json.ts";
import type { Answer } from "./json_rpc.ts";
import { checkApiKey, loginWithApiKey } from "./key_login.ts";
import { refuseForbiddenMethod } from "./login_method.ts";
import { readOverride } from "./sign_in.ts";
import type { LoginResult, LoginSlot } from "./login_slot.ts";
import type { Landing } from "./pages.ts";
import { describeFailure, invalidRequest, RpcError, toRpcError } from "./rpc_error.ts";
import { startBrowserLogin, startDeviceLogin } from "./started_login.ts";
import { beginStory } from "./story.ts";
import type { World } from "./world.ts";

/** Milliseconds until a sign-in that nobody completes ends. */
const BROWSER_MS = 10 * 60_000;
const DEVICE_MS = 15 * 60_000;
const HOSTED_PAGE = "https://chatgpt.com/codex/open-app?source=login&app_brand=";

/** What a sign-in is asked with. */
export interface LoginContext {
  readonly config: Config;
  /** The host has asked for what the reference calls experimental. */
  readonly isExperimental: boolean;
  /** What the host lends: while it does, it alone decides who is signed in. */
  readonly external: ExternalLogin | undefined;
}

export interface LoginEffects {
  note(message: string): void;
  notify(method: string, params: JsonObject): void;
  setExternal(login: ExternalLogin): void;
}

/** `account/login/start`, each kind of it, and what is told when it ends. */
export interface AppServerLogins {
  /** @throws {RpcError} */
  start(context: LoginContext, params: StartParams, answer: Answer): Promise<void>;
}

const EXPERIMENTAL: ReadonlySet<LoginType> = new Set([
  "chatgptAuthTokens",
  "amazonBedrock",
  "amazonBedrockAccessKeys",
]);

export function createAppServerLogins(
  world: World,
  slot: LoginSlot,
  { note, notify, setExternal }: LoginEffects,
): AppServerLogins {
  function tellEnd(config: Config, loginId: string | null, result: LoginResult): void {
    const { error, login } = result;
    notify("account/login/completed", {
      loginId,
      success: login !== undefined,
      error: error ? `${describeFailure(error)} (${error.code})` : null,
      onboardingEntrypoint: login?.onboardingEntrypoint ?? null,
    });
    if (login) tellUpdate(config, "chatgpt", login.account.plan);
  }
  /** What needs nobody's browser is done when it is answered. */
  function tellDone(config: Config, authMode: AuthMode, planType: string | null): void {
    const ended = { loginId: null, success: true, error: null, onboardingEntrypoint: null };
    notify("account/login/completed", ended);
    tellUpdate(config, authMode, planType);
  }
  /** What the environment says wins over what was stored. */
  function tellUpdate(config: Config, authMode: AuthMode, planType: string | null): void {
    const override = authMode === "chatgptAuthTokens" ? undefined : readOverride(world, config);
    notify(
      "account/updated",
      override ? { authMode: override.mode, planType: null } : { authMode, planType },
    );
  }

  // What is refused ends no login that waits: it is judged before the place is taken.
  async function withKey(config: Config, apiKey: string, answer: Answer): Promise<void> {
    checkApiKey(config, apiKey);
    await slot.exclusively(async (own) => {
      const ask = (): Promise<string> => Promise.resolve(apiKey);
      await loginWithApiKey(beginStory(own), config, { timeoutMs: 0, ask, tell: note });
      answer({ type: "apiKey" });
      tellDone(config, "apikey", null);
    });
  }

  const withBrowser = (config: Config, landing: Landing, answer: Answer): Promise<void> =>
    slot.start(
      (own) =>
        startBrowserLogin(own, config, {
          openBrowser: false,
          browser: undefined,
          port: undefined,
          redirectHost: "127.0.0.1",
          timeoutMs: BROWSER_MS,
          expectedWorkspaceIds: [],
          landing,
        }, note),
      (loginId, { authUrl }) => answer({ type: "chatgpt", loginId, authUrl }),
      (loginId, result) => tellEnd(config, loginId, result),
    );

  const withDeviceCode = (config: Config, answer: Answer): Promise<void> =>
    slot.start(
      (own) =>
        startDeviceLogin(own, config, { timeoutMs: DEVICE_MS, expectedWorkspaceIds: [] }, note),
      (loginId, { verificationUrl, userCode }) =>
        answer({ type: "chatgptDeviceCode", loginId, verificationUrl, userCode }),
      (loginId, result) => tellEnd(config, loginId, result),
    );

  async function withHostTokens(
    config: Config,
    tokens: ExternalTokens,
    answer: Answer,
  ): Promise<void> {
    const login = acceptExternalTokens(config, tokens);
    await slot.exclusively(() => {
      setExternal(login);
      answer({ type: "chatgptAuthTokens" });
      tellDone(config, "chatgptAuthTokens", login.account.plan);
      return Promise.resolve();
    });
  }

  return {
    async start({ config, isExperimental, external }, given, answer): Promise<void> {
      const { type } = given;
      if (EXPERIMENTAL.has(type) && !isExperimental) {
        throw invalidRequest(`account/login/start.${type} requires experimentalApi capability`);
      }
      if (external && type !== "chatgptAuthTokens") {
        throw invalidRequest(
          "External auth is active. Use account/login/start (chatgptAuthTokens) to update it or account/logout to clear it.",
        );
      }
      try {
        switch (type) {
          case "apiKey":
            return await withKey(config, given.apiKey, answer);
          case "chatgpt":
            refuseForbiddenMethod(config);
            return await withBrowser(config, toLanding(given), answer);
          case "chatgptDeviceCode":
            refuseForbiddenMethod(config);
            return await withDeviceCode(config, answer);
          case "chatgptAuthTokens":
            return await withHostTokens(config, given, answer);
          case "amazonBedrock":
          case "amazonBedrockAccessKeys":
            throw invalidRequest(
              "Signing in to Amazon Bedrock changes Codex's model settings, which codex-login leaves alone: use Codex for it",
            );
        }
      } catch (thrown) {
        throw thrown instanceof RpcError ? thrown : toRpcError(toLoginError(thrown));
      }
    },
  };
}

function toLanding(
  { codexStreamlinedLogin, useHostedLoginSuccessPage, appBrand }: {
    codexStreamlinedLogin: boolean;
    useHostedLoginSuccessPage: boolean;
    appBrand?: "codex" | "chatgpt" | null | undefined;
  },
): Landing {
  return {
    place: "program",
    opensApp: codexStreamlinedLogin,
    hostedUrl: useHostedLoginSuccessPage ? `${HOSTED_PAGE}${appBrand ?? "codex"}` : undefined,
  };
}
