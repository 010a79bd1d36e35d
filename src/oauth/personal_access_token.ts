import * as v from "valibot";
import type { Account } from "../account.ts";
import { answerFault } from "./answer_fault.ts";
import { LoginError } from "../errors.ts";
import { parseJson } from "../json.ts";
import type { Fetch } from "../world.ts";
import { querySecrets } from "../redaction.ts";
import { readRefusal } from "./error_response.ts";

/** Milliseconds; a person is waiting. */
const LIMIT_MS = 20_000;

const Whoami = v.object({
  chatgpt_user_id: v.pipe(v.string(), v.minLength(1)),
  chatgpt_account_id: v.pipe(v.string(), v.minLength(1)),
  chatgpt_plan_type: v.string(),
  chatgpt_account_is_fedramp: v.boolean(),
  email: v.optional(v.nullable(v.string())),
});

export interface WhoamiRequest {
  /** The address below which `/v1/user-auth-credential/whoami` is. */
  readonly base: string;
  /** A personal access token, `at-…`. */
  readonly token: string;
  readonly originator: string;
  readonly userAgent: string;
}

/**
 * Asks whose a personal access token is, which also shows that it works.
 *
 * @throws {LoginError} ACCESS_TOKEN_INVALID when the issuer refuses it, TOKEN_ENDPOINT, TOKEN_RESPONSE_INVALID, or what
 * the transport throws.
 */
export async function requestWhoami(
  fetch: Fetch,
  { base, token, originator, userAgent }: WhoamiRequest,
  signal: AbortSignal,
): Promise<Account> {
  const response = await fetch(`${base}/v1/user-auth-credential/whoami`, {
    method: "GET",
    headers: {
      authorization: `Bearer ${token}`,
      originator,
      "user-agent": userAgent,
      accept: "*/*",
    },
    redirect: "manual",
    limitMs: LIMIT_MS,
    signal,
  });
  const { status } = response;
  if (status !== 200) {
    const secrets = [token, ...querySecrets(base)];
    const { description } = await readRefusal(response, secrets);
    const fault = answerFault(response, description, secrets);
    if (fault !== undefined) throw fault;
    throw status === 401 || status === 403
      ? new LoginError("ACCESS_TOKEN_INVALID", "The issuer does not accept the access token", {
        reason: description,
        status,
      })
      : new LoginError("TOKEN_ENDPOINT", "The issuer could not say whose the access token is", {
        reason: description,
        status,
      });
  }
  return toAccount(await response.text());
}

function toAccount(body: string): Account {
  let document: unknown;
  try {
    document = parseJson(body, { maxLength: 1 << 16, maxDepth: 32 });
  } catch {
    document = undefined;
  }
  const parsed = v.safeParse(Whoami, document);
  if (parsed.success) {
    const { chatgpt_user_id, chatgpt_account_id, chatgpt_plan_type, email } = parsed.output;
    return {
      email: email ?? null,
      plan: chatgpt_plan_type,
      accountId: chatgpt_account_id,
      userId: chatgpt_user_id,
      workspaceName: null,
    };
  }
  const member = v.getDotPath(parsed.issues[0]);
  throw new LoginError("TOKEN_RESPONSE_INVALID", "The issuer's answer is not usable", {
    reason: member ? `its member "${member}" is missing or unusable` : "it is not a JSON object",
  });
}
