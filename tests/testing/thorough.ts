/** Set by `npm run security`, which has the time for what `npm test` leaves out. */
const IS_THOROUGH = process.env["CODEX_LOGIN_THOROUGH"] === "true";

/** How often a property is tried: a look in `npm test`, a long one in `npm run security`. */
export function times(few: number, many: number): number {
  return IS_THOROUGH ? many : few;
}

/**
 * Why a test of the security bar that starts the sources or the bundle is left out: `npm test` asks the executable, and
 * `npm run security` all of them.
 */
export function onlyExecutable(title: string): string | false {
  const isLeft = process.env["CODEX_LOGIN_BAR"] === "executable" &&
    /^(source|bundle): /.test(title);
  return isLeft ? "on the executable here, on all by npm run security" : false;
}

/** Why a long sweep is left out; false when there is time for it. */
export function onlyThorough(): string | false {
  return IS_THOROUGH ? false : "long: part of npm run security";
}
