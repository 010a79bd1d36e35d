import { type Account, toKnownPlan } from "./account.ts";
import type { Config } from "./config.ts";
import type { AuthMode } from "./credentials/auth_file.ts";
import type { ErrorCode } from "./error_kinds.ts";
import { toLoginError } from "./errors.ts";
import type { ExternalLogin } from "./external_auth.ts";
import { DEFAULT_ISSUER, isDefaultIssuer, isSameIssuer } from "./oauth/issuer.ts";
import { requestWhoami } from "./oauth/personal_access_token.ts";
import { EXIT_SIGN_IN_AGAIN } from "./shared_failure.ts";
import { readStatus, type Status } from "./status.ts";
import { obtainToken } from "./token.ts";
import { checkWorkspace } from "./workspace.ts";
import { requestWorkspaceRouting, type WorkspaceRouting } from "./workspace_routing.ts";
import type { World } from "./world.ts";

/** Who is signed in, as an editor shows it. */
export interface AccountInfo {
  /** Null when nobody is. */
  readonly mode: AuthMode | null;
  readonly account: Account | null;
  /** Null where nobody said it. */
  readonly routing: WorkspaceRouting | null;
}

const PERSONAL_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "ACCESS_TOKEN_INVALID",
  "NOT_SIGNED_IN",
  "WORKSPACE_MISMATCH",
]);
const NOBODY: AccountInfo = { mode: null, account: null, routing: null };
const DEFAULT_BASE_URL = "https://chatgpt.com/backend-api";

/** Milliseconds for which nobody is kept waiting again by an address that did not answer. */
const SILENCE_MS = 60_000;

type RoutingAnswer = WorkspaceRouting | "unauthorized" | null;

export interface AccountReader {
  /**
   * @param renews asks for new tokens first. When the issuer refuses them nobody is signed in; when it cannot be asked, what is
   * stored counts.
   * @throws {LoginError} when it cannot be read who is signed in.
   */
  read(config: Config, options: { renews: boolean }): Promise<AccountInfo>;
  /** The same of a login that the host lends. `replace` gets a new one from it when its token does not count any more. */
  readExternal(
    config: Config,
    login: ExternalLogin,
    replace: () => Promise<ExternalLogin>,
  ): Promise<AccountInfo>;
}

/** @param note told what an account lacks, and why. */
export function createAccountReader(world: World, note: (message: string) => void): AccountReader {
  let cached: { readonly key: string; readonly routing: WorkspaceRouting } | undefined;
  /** One question at a time: an editor may ask for the account a thousand times at once. */
  let asking: { readonly key: string; readonly answer: Promise<RoutingAnswer> } | undefined;
  let silent: { readonly key: string; readonly until: number } | undefined;
  /** The login that the issuer refused to renew. */
  let ended: string | undefined;

  const tell = (thrown: unknown): void => {
    const { message, reason } = toLoginError(thrown);
    note(`${message}${reason === undefined ? "" : ` (${reason})`}.`);
  };

  /** Names, plan and backend are worth a question, but no failure of what works without them. */
  async function findRouting(
    { userAgent }: Config,
    baseUrl: string,
    { token, accountId }: { token: string; accountId: string },
  ): Promise<RoutingAnswer> {
    const key = `${baseUrl} ${accountId} ${token}`;
    if (cached?.key === key) return cached.routing;
    if (silent?.key === key && world.elapsed() < silent.until) return null;
    if (asking?.key === key) return await asking.answer;
    const own = { key, answer: ask(key, { baseUrl, token, accountId, userAgent }) };
    asking = own;
    try {
      return await own.answer;
    } finally {
      if (asking === own) asking = undefined;
    }
  }

  async function ask(
    key: string,
    question: Omit<Parameters<typeof requestWorkspaceRouting>[1], "signal">,
  ): Promise<RoutingAnswer> {
    try {
      const request = { ...question, signal: world.signal };
      const routing = await requestWorkspaceRouting(world.fetch, request);
      cached = { key, routing };
      return routing;
    } catch (thrown) {
      const { code, status } = toLoginError(thrown);
      if (status === 401) return "unauthorized";
      tell(thrown);
      if (code.endsWith("_TIMEOUT")) silent = { key, until: world.elapsed() + SILENCE_MS };
      return null;
    }
  }

  async function renew(config: Config): Promise<"ended" | undefined> {
    cached = undefined;
    silent = undefined;
    try {
      await obtainToken(world, config, { minTtlMs: undefined, isForced: true, tell: note });
      return undefined;
    } catch (thrown) {
      tell(thrown);
      return toLoginError(thrown).exitCode === EXIT_SIGN_IN_AGAIN ? "ended" : undefined;
    }
  }

  async function addRouting(
    config: Config,
    { mode, account }: Pick<AccountInfo, "mode" | "account">,
    baseUrl: string | undefined,
  ): Promise<AccountInfo> {
    if (baseUrl === undefined || !account?.accountId) return { mode, account, routing: null };
    try {
      const options = { minTtlMs: undefined, isForced: false, tell: note };
      const { token } = await obtainToken(world, config, options);
      const login = { token, accountId: account.accountId };
      const routing = await findRouting(config, baseUrl, login);
      return withRouting(mode, account, routing === "unauthorized" ? null : routing);
    } catch (thrown) {
      tell(thrown);
      return { mode, account, routing: null };
    }
  }

  /** A personal access token does not say whose it is. */
  async function readPersonal(config: Config): Promise<AccountInfo> {
    const mode = "personalAccessToken";
    try {
      const options = { minTtlMs: undefined, isForced: false, tell: note };
      const { token } = await obtainToken(world, config, options);
      const { authApiBase: base, originator, userAgent } = config;
      const request = { base, token, originator, userAgent };
      const found = await requestWhoami(world.fetch, request, world.signal);
      checkWorkspace(found, config.forcedWorkspaceIds);
      const account = { ...found, plan: toKnownPlan(found.plan) };
      const isOpenAi = new URL(base).origin === DEFAULT_ISSUER;
      const baseUrl = baseUrlOf(config, isOpenAi ? DEFAULT_ISSUER : null);
      return await addRouting(config, { mode, account }, baseUrl);
    } catch (thrown) {
      tell(thrown);
      const { code } = toLoginError(thrown);
      return PERSONAL_REFUSALS.has(code) ? NOBODY : { mode, account: null, routing: null };
    }
  }

  return {
    async read(config, { renews }): Promise<AccountInfo> {
      let status = await readStatus(world, config);
      if (renews && status.loggedIn && status.authMode === "chatgpt" && !status.overriddenBy) {
        const before = identify(status);
        ended = await renew(config) === "ended" ? before : undefined;
        status = await readStatus(world, config);
      }
      const { loggedIn, authMode: mode, account } = status;
      if (!loggedIn || mode === null) return NOBODY;
      if (mode === "personalAccessToken") {
        return await readPersonal(config);
      }
      if (account === null) return { mode, account, routing: null };
      if (identify(status) === ended) return NOBODY;
      return await addRouting(config, { mode, account }, baseUrlOf(config, status.issuer));
    },
    async readExternal(config, login, replace): Promise<AccountInfo> {
      const mode = "chatgptAuthTokens";
      const baseUrl = baseUrlOf(config, isDefaultIssuer(config.issuer) ? DEFAULT_ISSUER : null);
      if (baseUrl === undefined) return { mode, account: login.account, routing: null };
      const find = ({ accessToken, account }: ExternalLogin): ReturnType<typeof findRouting> =>
        findRouting(config, baseUrl, { token: accessToken, accountId: account.accountId });
      let lent = login;
      let routing = await find(lent);
      if (routing === "unauthorized") {
        lent = await replace().catch(() => lent);
        routing = await find(lent);
      }
      return withRouting(mode, lent.account, routing === "unauthorized" ? null : routing);
    },
  };
}

/** What ChatGPT says of the workspace now is newer than what the token says. */
function withRouting(
  mode: AuthMode | null,
  account: Account,
  routing: WorkspaceRouting | null,
): AccountInfo {
  if (!routing) return { mode, account, routing };
  const plan = account.plan === "unknown" ? toKnownPlan(routing.planType ?? "") : account.plan;
  const workspaceName = routing.name ?? account.workspaceName;
  return { mode, account: { ...account, plan, workspaceName }, routing };
}

/** Only ChatGPT's own tokens go to ChatGPT; other issuers' go where the setting says, or nowhere. */
function baseUrlOf({ chatgptBaseUrl }: Config, issuer: string | null): string | undefined {
  const isDefault = issuer !== null && isSameIssuer(issuer, DEFAULT_ISSUER);
  return chatgptBaseUrl ?? (isDefault ? DEFAULT_BASE_URL : undefined);
}

function identify({ account, accessToken, lastRefresh }: Status): string {
  return JSON.stringify([account?.userId, account?.accountId, accessToken?.expiresAt, lastRefresh]);
}
