/** A person at the test issuer, and what the tokens say of them. */
export interface User {
  readonly sub: string;
  readonly email: string;
  readonly plan: string;
  readonly accountId: string;
  readonly workspaceName?: string;
  /** Owns an organization that is not set up yet. */
  readonly needsSetup?: boolean;
}

export const ADA: User = {
  sub: "user-ada",
  email: "ada@example.com",
  plan: "plus",
  accountId: "acct-1111",
  workspaceName: "Analytical Engines",
};

export const BOB: User = {
  sub: "user-bob",
  email: "bob@example.com",
  plan: "team",
  accountId: "acct-2222",
};

export const OLA: User = {
  sub: "user-ola",
  email: "ola@example.com",
  plan: "business",
  accountId: "acct-3333",
  workspaceName: "New Org",
  needsSetup: true,
};

/** The issuer's own claim, as its real tokens have it. */
export function authClaim(user: User): Record<string, unknown> {
  return {
    chatgpt_account_id: user.accountId,
    chatgpt_plan_type: user.plan,
    chatgpt_user_id: user.sub,
    user_id: user.sub,
    organization_id: `org-${user.accountId}`,
    project_id: `proj-${user.accountId}`,
    is_org_owner: user.needsSetup ?? false,
    completed_platform_onboarding: !user.needsSetup,
    organizations: user.workspaceName
      ? [{ id: `org-${user.accountId}`, title: user.workspaceName, is_default: true }]
      : [],
  };
}
