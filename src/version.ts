/** The released version; a test holds it against package.json. */
export const VERSION = "1.0.0";

/** Where this project is at home. install.sh, which stands alone, says the same: a test holds it to this. */
export const REPOSITORY = "https://github.com/codex-login/codex-login";

/** Set by the build, where it knows. */
declare const CODEX_LOGIN_COMMIT: string | undefined;

/** The commit that was built; "unknown" in the sources, and where the build was no clone. */
export const COMMIT = typeof CODEX_LOGIN_COMMIT === "undefined" ? "unknown" : CODEX_LOGIN_COMMIT;
