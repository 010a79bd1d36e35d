import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import {
  type Page,
  renderErrorPage,
  renderForeignPage,
  renderSuccessPage,
  TERMINAL,
} from "../src/pages.ts";
import { verifies } from "./testing/verifies.ts";

const NOBODY = { email: null, plan: "unknown", accountId: null, userId: null, workspaceName: null };

/** Every style and script in the page has its hash in the policy, and the policy allows nothing else. */
function assertSealed({ html, contentSecurityPolicy }: Page): void {
  const found = [...html.matchAll(/<(style|script)>(.*?)<\/\1>/gs)].map((
    [, element, content = ""],
  ) => `${element}-src 'sha256-${createHash("sha256").update(content).digest("base64")}'`);
  assert.equal(
    contentSecurityPolicy,
    ["default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", ...found]
      .join("; "),
  );
  assert.ok(!/\s(src|style|on\w+)=/i.test(html), "no other resource, no inline style or handler");
  assert.ok(!/https?:/.test(html), "no address of another host");
}

test("the success page says who signed in, and what to do", async () => {
  const page = await renderSuccessPage({
    ...NOBODY,
    email: "a@b.c",
    plan: "plus",
    accountId: "acct-1",
  });
  assertSealed(page);
  for (const shown of ["a@b.c", "plus", "acct-1", "go back to your terminal"]) {
    assert.ok(page.html.includes(shown));
  }
  const bare = await renderSuccessPage(NOBODY);
  assertSealed(bare);
  for (
    const absent of ["Account</dt>", "Plan</dt>", "Workspace</dt>", "unknown", "{{", "<script"]
  ) {
    assert.ok(!bare.html.includes(absent), absent);
  }
});

test("the success page offers the set-up only when there is one to do", async () => {
  const page = await renderSuccessPage(NOBODY, TERMINAL, "/setup/once");
  assertSealed(page);
  assert.ok(page.html.includes('href="/setup/once"'));
  assert.ok(page.html.includes("<script>"));
});

verifies("S20", "error pages say what, why, what next and the code", async () => {
  const page = await renderErrorPage(
    new LoginError("WORKSPACE_MISMATCH", "Not here", { reason: "allowed: a" }),
  );
  assertSealed(page);
  assert.equal(page.status, 403);
  for (const shown of ["Wrong workspace", "Not here.", "Allowed: a", "WORKSPACE_MISMATCH"]) {
    assert.ok(page.html.includes(shown), shown);
  }
  assert.ok(!page.html.includes("Reference"));
  const referring = await renderErrorPage(new LoginError("DNS", "m"), TERMINAL, "k2m4q7ab");
  assertSealed(referring);
  assert.ok(referring.html.includes("Reference: <code>k2m4q7ab</code>"));
  const foreign = await renderForeignPage();
  assertSealed(foreign);
  assert.equal(foreign.status, 400);
});

verifies("S20", "foreign text stays text, whatever it is", async () => {
  const tags = (html: string): number => [...html.matchAll(/<[a-z!/]/gi)].length;
  const expected = tags(
    (await renderErrorPage(new LoginError("DNS", "m", { reason: "r", hint: "h" }))).html,
  );
  const nasty = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "{{code}}",
      "{{#setup}}x{{/setup}}",
      "<script>alert(1)</script>",
      "</title>",
      '"><img src=x>',
      "$&$1",
    ),
  );
  await fc.assert(fc.asyncProperty(nasty, nasty, async (message, reason) => {
    fc.pre(/\S/.test(reason.replace(/[\p{C}\p{Z}]/gu, "")));
    const page = await renderErrorPage(new LoginError("DNS", message, { reason, hint: "h" }));
    assertSealed({ ...page, html: page.html.replace(/https?:|\s(src|style|on\w+)=/gi, "") });
    assert.equal(tags(page.html), expected);
  }));
});
