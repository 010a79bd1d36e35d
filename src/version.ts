/** The released version; a test holds it against package.json. */
export const VERSION = "1.0.0";

/** Set by the build, where it knows. */
declare const CODEX_LOGIN_COMMIT: string | undefined;

/** The commit that was built; "unknown" in the sources, and where the build was no clone. */
export const COMMIT = typeof CODEX_LOGIN_COMMIT === "undefined" ? "unknown" : CODEX_LOGIN_COMMIT;
