import assert from "node:assert/strict";
import { LoginError } from "../../src/mod.ts";
import type { CommonOptions, SignInOptions } from "../../src/mod.ts";
import type { TestHome } from "./home.ts";
import type { TestIssuer } from "./issuer.ts";
import { assertNoSecrets } from "./leaks.ts";

/** What every call of a test takes: a home of its own, and nothing of the person's environment. */
export function homeOptions(
  home: TestHome,
  env: Record<string, string> = {},
): Required<Pick<CommonOptions, "codexHome" | "env">> {
  const own = { PATH: process.env["PATH"], HOME: home.path, XDG_RUNTIME_DIR: home.path };
  return { codexHome: home.path, env: { ...own, ...env } };
}

export function signInOptions(
  home: TestHome,
  issuer: { readonly url: string },
): SignInOptions & { readonly port: number } {
  return { ...homeOptions(home), issuer: issuer.url, port: 0 };
}

/** The error that this ends with; it holds no secret. */
export async function failureOf(
  work: Promise<unknown>,
  issuer?: TestIssuer,
  authUrl?: string,
): Promise<LoginError> {
  const thrown = await work.then(() => assert.fail("it did not fail"), (error: unknown) => error);
  assert.ok(thrown instanceof LoginError, String(thrown));
  const { message, reason, hint, note, stack, cause } = thrown;
  const told = [message, reason, hint, note, stack, cause].map(String).join("\n");
  if (issuer) assertNoSecrets(told, issuer, authUrl);
  return thrown;
}

/** What is stored is as it was, and nothing of the sign-in is anywhere else. */
export async function assertNothingKept(
  home: TestHome,
  issuer: TestIssuer,
  before?: string,
): Promise<void> {
  assert.equal(await home.readAuth().catch(() => undefined), before);
  assertNoSecrets(await home.textOutsideAuth(), issuer);
  assert.deepEqual((await home.list()).filter((name) => /\.tmp|^log$/.test(name)), []);
}
