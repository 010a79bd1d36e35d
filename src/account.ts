import { isJsonObject, type JsonObject } from "./json.ts";

/** Who is signed in, as far as the tokens tell. Every member is foreign text. */
export interface Account {
  readonly email: string | null;
  /** One of the issuer's known plans, or "unknown". */
  readonly plan: string;
  /** The workspace: claim `chatgpt_account_id`. */
  readonly accountId: string | null;
  readonly userId: string | null;
  /** The workspace's name, where the token lists the organizations. */
  readonly workspaceName: string | null;
}

const AUTH_CLAIM = "https://api.openai.com/auth";
const PROFILE_CLAIM = "https://api.openai.com/profile";

const PLANS: ReadonlySet<string> = new Set(
  ("free go plus pro prolite promax team self_serve_business_prolite self_serve_business_usage_based " +
    "business ent26 enterprise_cbp_automation enterprise_cbp_usage_based enterprise edu edu_plus edu_pro sci sci_plus")
    .split(" "),
);
const PLAN_ALIASES: Readonly<Record<string, string>> = { hc: "enterprise", education: "edu" };

/** Reads the account from the claims of an ID token. */
export function readAccount(idTokenClaims: JsonObject): Account {
  const auth = authClaim(idTokenClaims);
  const profile = idTokenClaims[PROFILE_CLAIM];
  return {
    email: text(idTokenClaims["email"]) ?? (isJsonObject(profile) ? text(profile["email"]) : null),
    plan: readPlan(idTokenClaims),
    accountId: text(auth["chatgpt_account_id"]),
    userId: text(auth["chatgpt_user_id"]) ?? text(auth["user_id"]),
    workspaceName: defaultOrganizationTitle(auth),
  };
}

export function readPlan(claims: JsonObject): string {
  return toKnownPlan(text(authClaim(claims)["chatgpt_plan_type"]) ?? "");
}

/** One of the issuer's known plans, or "unknown". */
export function toKnownPlan(plan: string): string {
  const known = Object.hasOwn(PLAN_ALIASES, plan) ? PLAN_ALIASES[plan] : plan;
  return known !== undefined && PLANS.has(known) ? known : "unknown";
}

/** Whose login it is: `chatgpt_user_id`, else `sub`. Null when the token does not say. */
export function readIdentity(claims: JsonObject): string | null {
  return text(authClaim(claims)["chatgpt_user_id"]) ?? text(claims["sub"]);
}

/**
 * Whether two tokens speak of different users or accounts. What only one of them says decides nothing.
 *
 * @param withSubject compares `sub` too, as only ID tokens can be.
 */
export function areOfDifferentAccounts(
  a: JsonObject,
  b: JsonObject,
  { withSubject }: { withSubject: boolean },
): boolean {
  const differ = (one: unknown, other: unknown): boolean => {
    const [left, right] = [text(one), text(other)];
    return left !== null && right !== null && left !== right;
  };
  const isOtherSubject = withSubject && differ(a["sub"], b["sub"]);
  return isOtherSubject ||
    ["chatgpt_user_id", "chatgpt_account_id"].some((name) =>
      differ(authClaim(a)[name], authClaim(b)[name])
    );
}

/** What the issuer's set-up page needs for an owner whose organization is not set up yet. */
export interface OrganizationSetup {
  readonly plan: string;
  readonly organizationId: string;
  readonly projectId: string;
}

/** Undefined unless the person owns an organization that is not set up. The plan is the access token's. */
export function readOrganizationSetup(
  idTokenClaims: JsonObject,
  accessTokenClaims: JsonObject,
): OrganizationSetup | undefined {
  const auth = authClaim(idTokenClaims);
  if (auth["completed_platform_onboarding"] === true || auth["is_org_owner"] !== true) {
    return undefined;
  }
  return {
    plan: text(authClaim(accessTokenClaims)["chatgpt_plan_type"]) ?? "",
    organizationId: text(auth["organization_id"]) ?? "",
    projectId: text(auth["project_id"]) ?? "",
  };
}

function authClaim(claims: JsonObject): JsonObject {
  const auth = claims[AUTH_CLAIM];
  return isJsonObject(auth) ? auth : {};
}

function defaultOrganizationTitle(auth: JsonObject): string | null {
  const organizations = auth["organizations"];
  if (!Array.isArray(organizations)) return null;
  const own = organizations.find((one) => isJsonObject(one) && one["is_default"] === true);
  return isJsonObject(own) ? text(own["title"]) : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
