import { type LoginType, parseParams, StartParams } from "./app_server_params.ts";
import type { Config } from "./config.ts";
import { toLoginError } from "./errors.ts";
import { acceptExternalTokens, type ExternalLogin, type ExternalTokens } from "./external_auth.ts";
import type { JsonObject } from "./json.ts";
import type { Answer } from "./json_rpc.ts";
import { loginWithApiKey } from "./key_login.ts";
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
  start(context: LoginContext, params: unknown, answer: Answer): Promise<void>;
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
  function tellEnd(loginId: string | null, result: LoginResult): void {
    const { error, login } = result;
    notify("account/login/completed", {
      loginId,
      success: login !== undefined,
      error: error ? `${describeFailure(error)} (${error.code})` : null,
      onboardingEntrypoint: login?.onboardingEntrypoint ?? null,
    });
    if (login) tellUpdate("chatgpt", login.account.plan);
  }
  /** What needs nobody's browser is done when it is answered. */
  function tellDone(authMode: string, planType: string | null): void {
    const ended = { loginId: null, success: true, error: null, onboardingEntrypoint: null };
    notify("account/login/completed", ended);
    tellUpdate(authMode, planType);
  }
  function tellUpdate(authMode: string, planType: string | null): void {
    notify("account/updated", { authMode, planType });
  }

  const withKey = (config: Config, apiKey: string, answer: Answer): Promise<void> =>
    slot.exclusively(async () => {
      const ask = (): Promise<string> => Promise.resolve(apiKey);
      await loginWithApiKey(beginStory(world), config, { timeoutMs: 0, ask, tell: note });
      answer({ type: "apiKey" });
      tellDone("apikey", null);
    });

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
      tellEnd,
    );

  const withDeviceCode = (config: Config, answer: Answer): Promise<void> =>
    slot.start(
      (own) =>
        startDeviceLogin(own, config, { timeoutMs: DEVICE_MS, expectedWorkspaceIds: [] }, note),
      (loginId, { verificationUrl, userCode }) =>
        answer({ type: "chatgptDeviceCode", loginId, verificationUrl, userCode }),
      tellEnd,
    );

  const withHostTokens = (config: Config, tokens: ExternalTokens, answer: Answer): Promise<void> =>
    slot.exclusively(() => {
      const login = acceptExternalTokens(config, tokens);
      setExternal(login);
      answer({ type: "chatgptAuthTokens" });
      tellDone("chatgptAuthTokens", login.account.plan);
      return Promise.resolve();
    });

  return {
    async start({ config, isExperimental, external }, params, answer): Promise<void> {
      const given = parseParams(StartParams, params);
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
            return await withBrowser(config, toLanding(given), answer);
          case "chatgptDeviceCode":
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
