import type { Command, Option } from "./command.ts";

/** Understood by every command. */
export const COMMON_OPTIONS: readonly Option[] = [
  {
    name: "codex-home",
    value: "DIR",
    help: "where credentials and settings are (default $CODEX_HOME, else ~/.codex)",
  },
  {
    name: "config",
    short: "c",
    value: "KEY=VALUE",
    repeatable: true,
    help: "set one setting for this run",
  },
  { name: "json", help: "data for programs on stdout" },
  { name: "quiet", help: "no progress and no notes; only errors and what was asked for" },
  { name: "verbose", help: "also show what goes into the log" },
  { name: "plain", help: "no colour, no links" },
  { name: "no-color", help: "no colour" },
  { name: "help", short: "h", help: "show this help" },
  { name: "enable", value: "FEATURE", repeatable: true },
  { name: "disable", value: "FEATURE", repeatable: true },
];

const LOGIN_OPTIONS: readonly Option[] = [
  { name: "device-auth", help: "sign in with a code that you enter on any device" },
  { name: "with-api-key", help: "read an API key from stdin instead" },
  { name: "with-access-token", help: "read a personal access token (at-…) from stdin instead" },
  { name: "no-browser", help: "print the address, open nothing" },
  {
    name: "browser",
    value: "CMD",
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
  { name: "redirect-host", value: "HOST", help: "127.0.0.1 (default) or localhost" },
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

/** Every command there is. Help and parsing are made from this table and from nothing else. */
export const COMMANDS: readonly Command[] = [
  {
    name: "login",
    summary: "sign in with the browser (the default command)",
    usage: ["codex-login [login] [OPTIONS]", "codex-login login status|help"],
    options: LOGIN_OPTIONS,
    examples: [
      "codex-login",
      "codex-login --no-browser --timeout 2m",
      "codex-login --device-auth",
      "printenv OPENAI_API_KEY | codex-login login --with-api-key",
      "printenv CODEX_ACCESS_TOKEN | codex-login login --with-access-token",
    ],
    isAttempt: true,
    load: async () => (await import("./login.ts")).runLogin,
  },
  {
    name: "status",
    summary: "show who is signed in",
    usage: ["codex-login status [--json]"],
    options: [],
    examples: ["codex-login status", "codex-login status --json"],
    load: async () => (await import("./status.ts")).runStatus,
  },
  {
    name: "token",
    summary: "print a valid access token, renewed when needed",
    usage: ["codex-login token [--min-ttl DURATION] [--json]"],
    options: [{
      name: "min-ttl",
      value: "DURATION",
      help: "renew a token that expires sooner: 90s, 10m, 1h30m, 30d (default 5m)",
    }],
    examples: ["codex-login token", "codex-login token --min-ttl 30m --json"],
    isAttempt: true,
    load: async () => (await import("./token.ts")).runToken,
  },
  {
    name: "refresh",
    summary: "renew the login now",
    usage: ["codex-login refresh"],
    options: [],
    examples: ["codex-login refresh"],
    isAttempt: true,
    load: async () => (await import("./refresh.ts")).runRefresh,
  },
  {
    name: "logout",
    summary: "end the login at its issuer, then delete it here",
    usage: ["codex-login logout [--local-only]"],
    options: [{ name: "local-only", help: "delete it here and ask nobody" }],
    examples: ["codex-login logout", "codex-login logout --local-only"],
    isAttempt: true,
    load: async () => (await import("./logout.ts")).runLogout,
  },
  {
    name: "profile",
    summary: "keep several logins and change between them",
    usage: ["codex-login profile list [--json]", "codex-login profile use|save|remove NAME"],
    actions: [
      { name: "list", words: [], help: "show all logins, the one in use first" },
      { name: "use", words: ["NAME"], help: "take this login into use and keep the one before" },
      {
        name: "save",
        words: ["NAME"],
        help: "name the login in use; another account's sign-in then keeps it",
      },
      { name: "remove", words: ["NAME"], help: "end a kept login at its issuer, then delete it" },
    ],
    options: [{ name: "local-only", help: "remove: delete it here and ask nobody" }],
    examples: [
      "codex-login profile save work",
      "codex-login profile use work",
      "codex-login profile list --json",
      "codex-login profile remove work",
    ],
    isAttempt: true,
    load: async () => (await import("./profile.ts")).runProfile,
  },
  {
    name: "doctor",
    summary: "look for what would go wrong, and say why; changes nothing",
    usage: ["codex-login doctor [--json] [--bundle FILE] [--issuer URL]"],
    options: [
      { name: "bundle", value: "FILE", help: "also write a file for support, without secrets" },
      {
        name: "issuer",
        value: "URL",
        help: "look at the way to this issuer (default: the login's, else the usual one)",
      },
    ],
    examples: ["codex-login doctor", "codex-login doctor --bundle codex-login-report.txt"],
    isDiagnosis: true,
    load: async () => (await import("./doctor.ts")).runDoctor,
  },
  {
    name: "app-server",
    summary: "serve the account API for editors: JSON-RPC on stdin and stdout",
    usage: ["codex-login app-server [--strict-reference]"],
    options: [
      {
        name: "strict-reference",
        help: "answer what is unknown or unreadable just as `codex app-server` does",
      },
      { name: "stdio" },
      { name: "listen", value: "ADDRESS" },
      {
        name: "analytics-default-enabled",
      },
    ],
    examples: ["codex-login app-server"],
    isServer: true,
    load: async () => (await import("./app_server.ts")).runAppServer,
  },
  {
    name: "mcp-server",
    summary: "serve the Model Context Protocol on stdin and stdout",
    usage: ["codex-login mcp-server"],
    options: [],
    examples: ["codex-login mcp-server"],
    isServer: true,
    load: async () => (await import("./mcp_server.ts")).runMcpServer,
  },
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
