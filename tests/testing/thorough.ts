/** Set by `npm run security`, which has the time for what `npm test` leaves out. */
const IS_THOROUGH = process.env["CODEX_LOGIN_THOROUGH"] === "true";

/** How often a property is tried: a look in `npm test`, a long one in `npm run security`. */
export function times(few: number, many: number): number {
  return IS_THOROUGH ? many : few;
}

/** Why a long sweep is left out; false when there is time for it. */
export function onlyThorough(): string | false {
  return IS_THOROUGH ? false : "long: part of npm run security";
}
