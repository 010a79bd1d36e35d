import assert from "node:assert/strict";
import type { TestIssuer } from "./issuer.ts";

/** No secret that the issuer ever gave out, nor one of this attempt, is in the text: as it is or as a URL has it. */
export function assertNoSecrets(
  text: string,
  issuer: Pick<TestIssuer, "secrets"> & Partial<Pick<TestIssuer, "asked">>,
  authUrl?: string,
): void {
  const own = authUrl ? [new URL(authUrl).searchParams.get("state") ?? ""] : [];
  const verifiers = (issuer.asked?.("token") ?? []).map(({ body }) =>
    new URLSearchParams(body).get("code_verifier") ?? ""
  );
  for (const secret of [...issuer.secrets, ...own, ...verifiers].filter((one) => one.length >= 8)) {
    for (
      const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]
    ) {
      assert.ok(
        !text.includes(form),
        `a secret of ${secret.length} characters leaked (${secret.slice(0, 4)}…)`,
      );
    }
  }
}
