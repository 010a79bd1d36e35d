import { type AccountInfo, createAccountReader } from "./account_info.ts";
import { createAccountQueue } from "./account_queue.ts";
import { accountJson, readAuth } from "./app_server_account.ts";
import {
  AuthStatusParams,
  CancelParams,
  InitializeParams,
  NoParams,
  parseParams,
  ReadParams,
  RefreshedExternalTokens,
  StartParams,
} from "./app_server_params.ts";
import { createAppServerLogins } from "./app_server_logins.ts";
import { type Config, configForHost, isHostName } from "./config.ts";
import { acceptExternalTokens, type ExternalLogin } from "./external_auth.ts";
import type { JsonObject } from "./json.ts";
import { type Answer, createRpcPeer, type RpcPeer } from "./json_rpc.ts";
import type { Line } from "./line_splitter.ts";
import { canceledByLogout, createLoginSlot } from "./login_slot.ts";
import { logout } from "./logout.ts";
import { printable } from "./printable.ts";
import { failing, invalidRequest, RPC_CODES, RpcError } from "./rpc_error.ts";
import { shareQuestion } from "./shared_question.ts";
import { readStatus } from "./status.ts";
import type { World } from "./world.ts";

/** Milliseconds that a host may take for new tokens of its own. */
const EXTERNAL_REFRESH_MS = 10_000;
const LOGIN_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export interface AppServerOptions {
  send(line: string): void;
  /** Told what a person should know. */
  note(message: string): void;
  /** Answers what is unknown or unreadable just as the reference does. */
  readonly isStrict: boolean;
}

export interface AppServer extends Pick<RpcPeer, "unanswered" | "isAsking" | "nextChange"> {
  receive(line: Line): void;
  /** Resolves when no login is under way any more. */
  idle(): Promise<void>;
}

type Method = (params: unknown, answer: Answer) => Promise<JsonObject | void>;

/**
 * The account API of the reference's app-server: sign-ins for an editor, which shows them in its own way. It holds no login
 * logic; what a method does is a use case of its own.
 */
export function createAppServer(
  world: World,
  baseConfig: Config,
  { send, note, isStrict }: AppServerOptions,
): AppServer {
  let config = baseConfig;
  let isInitialized = false;
  let isExperimental = false;
  let unwanted: ReadonlySet<string> = new Set();
  let external: ExternalLogin | undefined;
  let refreshing: { lent: ExternalLogin; renewed: Promise<ExternalLogin> } | undefined;
  const queue = createAccountQueue(world);
  const slot = createLoginSlot(world);
  const reader = createAccountReader(world, note);
  let readShared = shareQuestion(() => readAccount(false));
  /** Whoever asks after a change does not wait for those who asked before it. */
  const change: typeof queue.change = (work) => {
    readShared = shareQuestion(() => readAccount(false));
    return queue.change(work);
  };

  const methods: Readonly<Record<string, Method>> = {
    initialize: (params) => Promise.resolve(initialize(params)),
    "account/login/start": (params, answer) => {
      const given = parseParams(StartParams, params);
      // One that hangs before it has begun must not keep this one waiting.
      slot.interrupt();
      return change((done) =>
        logins.start({ config, isExperimental, external }, given, (result) => {
          answer(result);
          done();
        })
      );
    },
    "account/login/cancel": cancel,
    "account/logout": (params, answer) => {
      parseParams(NoParams, params);
      slot.interrupt();
      return change(() => signOut(answer));
    },
    "account/read": (params) => {
      const { refreshToken } = parseParams(ReadParams, params);
      const read = refreshToken ? () => readAccount(true) : readShared;
      return queue.ask(() => failing("", async () => accountJson(await read())));
    },
    getAuthStatus: (params) => {
      const { includeToken, refreshToken } = parseParams(AuthStatusParams, params);
      const options = {
        includesToken: includeToken ?? false,
        isForced: refreshToken ?? false,
        note,
      };
      return queue.ask(() => failing("", () => readAuth(world, config, external, options)));
    },
  };

  const peer = createRpcPeer({
    request(name, params, answer): Promise<JsonObject | void> {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (!method) throw unknownMethod(name);
      if (name !== "initialize" && !isInitialized) throw invalidRequest("Not initialized");
      return method(params, answer);
    },
    notification: () => {},
  }, { send, now: world.now, sleep: world.sleep, ignoresUnreadable: isStrict });

  const notify = (method: string, params: JsonObject): void => {
    if (!unwanted.has(method)) peer.notify(method, params);
  };
  const logins = createAppServerLogins(world, slot, {
    note,
    notify,
    setExternal: (login) => void (external = login),
  });

  function unknownMethod(name: string): RpcError {
    const known = Object.keys(methods).map((one) => `\`${one}\``).join(", ");
    const shown = `\`${printable(name, 80)}\``;
    return isStrict
      ? invalidRequest(`Invalid request: unknown variant ${shown}, expected one of ${known}`)
      : new RpcError(RPC_CODES.METHOD_NOT_FOUND, `There is no method ${shown}; there are ${known}`);
  }

  function initialize(params: unknown): JsonObject {
    const { clientInfo, capabilities } = parseParams(InitializeParams, params);
    if (isInitialized) throw invalidRequest("Already initialized");
    if (!isHostName(clientInfo.name)) {
      const shown = printable(clientInfo.name, 80);
      throw invalidRequest(
        `Invalid clientInfo.name: '${shown}'. Must be a valid HTTP header value.`,
      );
    }
    isInitialized = true;
    isExperimental = capabilities?.experimentalApi ?? false;
    unwanted = new Set(capabilities?.optOutNotificationMethods ?? []);
    config = configForHost(world, baseConfig, clientInfo);
    return {
      userAgent: config.userAgent,
      codexHome: config.home,
      platformFamily: world.platform === "win32" ? "windows" : "unix",
      platformOs: { darwin: "macos", win32: "windows" }[world.platform] ?? world.platform,
    };
  }

  async function cancel(params: unknown, answer: Answer): Promise<void> {
    const { loginId } = parseParams(CancelParams, params);
    if (!LOGIN_ID.test(loginId)) {
      throw invalidRequest(`invalid login id: ${printable(loginId, 80)}`);
    }
    await slot.cancel(loginId.toLowerCase(), (isCanceled) => {
      answer({ status: isCanceled ? "canceled" : "notFound" });
    });
  }

  async function signOut(answer: Answer): Promise<void> {
    await slot.exclusively(async () => {
      external = undefined;
      await failing("logout failed: ", async () => {
        const { revocation } = await logout(world, config, { localOnly: false, tell: note });
        if (revocation.kind === "failed") note("The issuer could not be told of the logout.");
      });
      answer({});
      // While the issuer was asked somebody may have signed in anew.
      const status = await readStatus(world, config).catch(() => undefined);
      const isSignedIn = status?.loggedIn === true;
      notify("account/updated", {
        authMode: isSignedIn ? status.authMode : null,
        planType: isSignedIn ? status.account?.plan ?? null : null,
      });
    }, canceledByLogout());
  }

  async function readAccount(renews: boolean): Promise<AccountInfo> {
    if (!external) return await reader.read(config, { renews });
    const lent = external;
    return await reader.readExternal(config, lent, () => {
      if (refreshing?.lent !== lent) refreshing = { lent, renewed: askForTokens(lent) };
      return refreshing.renewed;
    });
  }

  /** Once for all who wait for it. */
  async function askForTokens(lent: ExternalLogin): Promise<ExternalLogin> {
    try {
      const params = { reason: "unauthorized", previousAccountId: lent.account.accountId };
      const result = await peer.ask(
        "account/chatgptAuthTokens/refresh",
        params,
        EXTERNAL_REFRESH_MS,
      );
      const renewed = acceptExternalTokens(config, parseParams(RefreshedExternalTokens, result));
      if (external === lent) external = renewed;
      return renewed;
    } finally {
      refreshing = undefined;
    }
  }

  return {
    receive: peer.receive,
    unanswered: peer.unanswered,
    isAsking: peer.isAsking,
    nextChange: peer.nextChange,
    idle: slot.idle,
  };
}
