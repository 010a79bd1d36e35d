import * as v from "valibot";
import { LoginError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { parseSecureUrl } from "./oauth/issuer.ts";
import type { Fetch } from "./world.ts";

const LIMITS = { maxLength: 1 << 20, maxDepth: 16 };
/** Milliseconds: an editor waits for it. */
const LIMIT_MS = 10_000;
const ANYWHERE = "NO_CONSTRAINT";

const Accounts = v.object({ accounts: v.array(v.looseObject({ id: v.string() })) });

/** Of the workspace that is asked about; the others are nobody's business. */
const OwnAccount = v.object({
  plan_type: v.optional(v.nullable(v.string())),
  name: v.optional(v.nullable(v.string())),
  workspace_backend_origin: v.string(),
  account_routing_override: v.picklist([ANYWHERE, "us", "us_cr"]),
});

/** Where requests for a workspace go, and how it is called. */
export interface WorkspaceRouting {
  readonly accountId: string;
  readonly name: string | null;
  readonly planType: string | null;
  /** An https origin. */
  readonly backendOrigin: string;
  readonly accountRoutingOverride: "NO_CONSTRAINT" | "us" | "us_cr";
}

/**
 * Asks ChatGPT's API about the workspace of a token.
 *
 * @param baseUrl of the API; `https`, or `http` on loopback.
 * @throws {LoginError} with the status 401 when the token does not count any more; or what the transport throws.
 */
export async function requestWorkspaceRouting(
  fetch: Fetch,
  { baseUrl, token, accountId, userAgent, signal }: {
    baseUrl: string;
    token: string;
    accountId: string;
    userAgent: string;
    signal: AbortSignal;
  },
): Promise<WorkspaceRouting> {
  const base = parseSecureUrl(baseUrl, "address in chatgpt_base_url");
  const response = await fetch(`${base.href.replace(/\/$/, "")}/wham/accounts/check`, {
    headers: {
      "user-agent": userAgent,
      authorization: `Bearer ${token}`,
      "chatgpt-account-id": accountId,
      accept: "*/*",
    },
    redirect: "manual",
    limitMs: LIMIT_MS,
    signal,
  });
  const body = await response.text();
  if (response.status !== 200) {
    throw failed(`HTTP ${response.status}`, { status: response.status });
  }
  const parsed = v.safeParse(Accounts, parse(body));
  if (!parsed.success) throw failed("its answer is not usable");
  const account = parsed.output.accounts.find(({ id }) => id === accountId);
  if (!account) throw failed("the workspace is not among the person's");
  const own = v.safeParse(OwnAccount, account);
  if (!own.success) throw failed("its answer is not usable");
  const found = own.output;
  return {
    accountId,
    name: found.name ?? null,
    planType: found.plan_type ?? null,
    backendOrigin: readOrigin(found.workspace_backend_origin, base),
    accountRoutingOverride: found.account_routing_override,
  };
}

function parse(body: string): unknown {
  try {
    return parseJson(body, LIMITS);
  } catch {
    return undefined;
  }
}

function readOrigin(given: string, base: URL): string {
  if (given === ANYWHERE) return base.origin;
  const url = parseSecureUrl(given, "workspace's backend");
  if (url.protocol !== "https:" || url.origin !== given.replace(/\/$/, "")) {
    throw failed("the workspace's backend is no https origin");
  }
  return url.origin;
}

function failed(reason: string, details: { status?: number } = {}): LoginError {
  return new LoginError("NETWORK", "The workspace could not be asked about", {
    reason,
    ...details,
  });
}
