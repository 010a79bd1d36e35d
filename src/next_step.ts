/**
 * The next step for somebody who has no command line before them: in an editor a sign-in is begun once more.
 *
 * @param hint as a terminal shows it.
 */
export function describeNextStep(hint: string): string {
  const told = hint.replace(/^run codex-login again\b/, "start the sign-in again");
  return /codex-login|(^|\s)--[a-z]/.test(told) ? "start the sign-in again" : told;
}
