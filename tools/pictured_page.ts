import { createHash } from "node:crypto";
import { renderSuccessPage } from "../src/pages.ts";
import { ADA } from "../tests/testing/users.ts";

/** The page that is in the pictures, and what tells it from any other. */
export async function renderPicturedPage(): Promise<{ html: string; digest: string }> {
  const { html } = await renderSuccessPage({
    email: ADA.email,
    plan: ADA.plan,
    accountId: ADA.accountId,
    userId: ADA.sub,
    workspaceName: ADA.workspaceName ?? null,
  });
  return { html, digest: createHash("sha256").update(html).digest("hex") };
}
