import type { AccountCommand, Option } from "./command.ts";
import { STORE, UNREACHABLE, USAGE } from "./exit_codes.ts";

const LOGIN_OPTIONS: readonly Option[] = [
  { name: "device-auth", help: "sign in with a code that you enter on any device" },
  { name: "with-api-key", help: "read an API key from stdin instead" },
  { name: "with-access-token", help: "read a personal access token (at-…) from stdin instead" },
  { name: "no-browser", help: "print the address, open nothing" },
  {
    name: "browser",
    value: "CMD",
    takes: "program",
    help: "open the address with this program ($BROWSER works too)",
  },
  {
    name: "port",
    value: "N",
    help: "listen on this port only (default 1455, then 1457; 0 picks a free one)",
  },
  {
    name: "paste",
    help: "read the address that the browser ends at from stdin (a terminal always takes it)",
  },
  { name: "qr", help: "also show the address as a QR code" },
  {
    name: "redirect-host",
    value: "HOST",
    choices: ["127.0.0.1", "localhost"],
    help: "127.0.0.1 (default) or localhost",
  },
  {
    name: "timeout",
    value: "DURATION",
    help:
      "give up after this long: 90s, 10m, 1h30m, 2d (default 10m, 0 waits forever; a code: its own time)",
  },
  { name: "expect-workspace", value: "ID", repeatable: true, help: "accept this workspace only" },
  { name: "issuer", value: "URL", help: "sign in at this issuer" },
  { name: "client-id", value: "ID", help: "sign in as this client" },
  { name: "experimental_issuer", value: "URL" },
  { name: "experimental_client-id", value: "ID" },
];

/** The default command. */
export const LOGIN: AccountCommand = {
  name: "login",
  summary: "sign in with the browser (the default command)",
  usage: ["codex-login [login] [OPTIONS]", "codex-login login status|help"],
  also: {
    status: "the same as `codex-login status`",
    help: "the same as `codex-login help`",
  },
  options: LOGIN_OPTIONS,
  examples: [
    "codex-login",
    "codex-login --no-browser --timeout 2m",
    "codex-login --device-auth",
    "printenv OPENAI_API_KEY | codex-login login --with-api-key",
    "printenv CODEX_ACCESS_TOKEN | codex-login login --with-access-token",
  ],
  exits: {
    0: "signed in",
    1: "the sign-in failed: denied, another workspace, no free port, a newer sign-in took over",
    2: USAGE,
    3: STORE,
    5: UNREACHABLE,
    6: "nobody completed the sign-in in time",
  },
  isAttempt: true,
  load: async () => (await import("./login.ts")).runLogin,
};
