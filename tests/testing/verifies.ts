import { test, type TestContext } from "node:test";
import { type RequirementId, REQUIREMENTS } from "../requirements.ts";
import { onlyExecutable } from "./thorough.ts";

export interface VerifyOptions {
  readonly timeout?: number;
  readonly skip?: boolean | string;
}

type Body = (t: TestContext) => Promise<void> | void;

/**
 * A test that proves one or more lines of the security bar. They stand in its title, `… [S3 S18]`, by which
 * `npm run security` finds it in the reports.
 */
export function verifies(
  ids: RequirementId | readonly RequirementId[],
  title: string,
  ...rest: [Body] | [VerifyOptions, Body]
): void {
  const all = [ids].flat() as RequirementId[];
  const unknown = all.find((id) => !Object.hasOwn(REQUIREMENTS, id));
  if (unknown !== undefined) throw new Error(`${title}: there is no requirement ${unknown}`);
  const tagged = `${title} [${all.join(" ")}]`;
  const [options, body] = rest.length === 2 ? rest : [{}, rest[0]];
  test(tagged, { ...options, skip: options.skip || onlyExecutable(title) }, body);
}
