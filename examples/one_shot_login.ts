/**
 * Signs in once with the browser, and says who it is.
 *
 * Environment: ISSUER (default: the usual one), PORT (default: 1455, else 1457), NO_BROWSER.
 */
// deno-lint-ignore-file no-console -- a program's own words
import { LoginError, startBrowserLogin } from "codex-login";

const { ISSUER, PORT, NO_BROWSER } = process.env;

try {
  const login = await startBrowserLogin({
    issuer: ISSUER,
    port: PORT === undefined ? undefined : Number(PORT),
    openBrowser: NO_BROWSER === undefined,
    originator: { name: "one-shot example", version: "1.0.0" },
    onNote: (note) => console.error(note),
  });
  process.once("SIGINT", () => login.cancel());
  console.log(`Open this address to sign in:\n${login.authUrl}`);
  const { account, path } = await login.done;
  console.log(`Signed in as ${account.email ?? "somebody"}; kept in ${path}.`);
} catch (thrown) {
  if (!(thrown instanceof LoginError)) throw thrown;
  console.error(`${thrown.code}: ${thrown.message} (${thrown.reason ?? "no more is known"})`);
  process.exitCode = thrown.exitCode;
}
