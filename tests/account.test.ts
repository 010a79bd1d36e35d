import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAccount, readIdentity, readOrganizationSetup, readPlan } from "../src/account.ts";
import type { JsonObject } from "../src/json.ts";
import { allowedWorkspaces, checkWorkspace } from "../src/workspace.ts";

const AUTH = "https://api.openai.com/auth";

test("readAccount() takes each member from where the reference takes it", () => {
  assert.deepEqual(
    readAccount({
      email: "a@b.c",
      [AUTH]: {
        chatgpt_account_id: "acct-1",
        chatgpt_user_id: "user-1",
        user_id: "other",
        chatgpt_plan_type: "pro",
        organizations: [{ title: "Not this" }, { title: "This", is_default: true }],
      },
    }),
    { email: "a@b.c", plan: "pro", accountId: "acct-1", userId: "user-1", workspaceName: "This" },
  );
  assert.deepEqual(
    readAccount({
      "https://api.openai.com/profile": { email: "p@b.c" },
      [AUTH]: { user_id: "user-2" },
    }),
    { email: "p@b.c", plan: "unknown", accountId: null, userId: "user-2", workspaceName: null },
  );
});

test("readPlan() knows the issuer's plans and two aliases, and nothing else", () => {
  const rows: [unknown, string][] = [
    ["plus", "plus"],
    ["hc", "enterprise"],
    ["education", "edu"],
    ["Plus", "unknown"],
    ["toString", "unknown"],
    ["__proto__", "unknown"],
    [5, "unknown"],
    [undefined, "unknown"],
  ];
  for (const [plan, expected] of rows) {
    assert.equal(readPlan({ [AUTH]: { chatgpt_plan_type: plan } }), expected);
  }
});

test("readIdentity() is the user, else the subject, else nobody", () => {
  assert.equal(readIdentity({ sub: "s", [AUTH]: { chatgpt_user_id: "u" } }), "u");
  assert.equal(readIdentity({ sub: "s" }), "s");
  assert.equal(readIdentity({}), null);
});

test("readOrganizationSetup() is for owners whose organization is not set up", () => {
  const owner = { is_org_owner: true, organization_id: "org-1", project_id: "proj-1" };
  const plan = { [AUTH]: { chatgpt_plan_type: "free" } };
  assert.deepEqual(readOrganizationSetup({ [AUTH]: owner }, plan), {
    plan: "free",
    organizationId: "org-1",
    projectId: "proj-1",
  });
  assert.deepEqual(readOrganizationSetup({ [AUTH]: { is_org_owner: true } }, {}), {
    plan: "",
    organizationId: "",
    projectId: "",
  });
  for (
    const auth of [{}, { ...owner, completed_platform_onboarding: true }, {
      ...owner,
      is_org_owner: false,
    }]
  ) {
    assert.equal(readOrganizationSetup({ [AUTH]: auth }, plan), undefined);
  }
});

test("claims of any shape give an account", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (claims, auth) => {
      const all = { ...claims, [AUTH]: auth } as JsonObject;
      assert.equal(typeof readAccount(all).plan, "string");
      readOrganizationSetup(all, all);
    }),
  );
});

test("allowedWorkspaces() narrows what is forced by what is asked for", () => {
  assert.deepEqual(allowedWorkspaces([], []), []);
  assert.deepEqual(allowedWorkspaces(["a"], []), ["a"]);
  assert.deepEqual(allowedWorkspaces([], ["b"]), ["b"]);
  assert.deepEqual(allowedWorkspaces(["a", "b"], ["b", "c"]), ["b"]);
  assert.throws(() => allowedWorkspaces(["a"], ["b"]), { code: "USAGE" });
});

test("checkWorkspace() lets in only what is allowed", () => {
  const account = readAccount({ [AUTH]: { chatgpt_account_id: "acct-1" } });
  checkWorkspace(account, []);
  checkWorkspace(account, ["x", "acct-1"]);
  assert.throws(() => checkWorkspace(account, ["x"]), {
    code: "WORKSPACE_MISMATCH",
    reason: "allowed: x; signed in to: acct-1",
  });
  assert.throws(() => checkWorkspace(readAccount({}), ["x"]), { code: "WORKSPACE_MISMATCH" });
});
