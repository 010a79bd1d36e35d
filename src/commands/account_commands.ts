import type { AccountCommand } from "./command.ts";
import { STORE, UNREACHABLE, UNWRITABLE, USAGE } from "./exit_codes.ts";

/** What is done with a login that is there. */
export const ACCOUNT_COMMANDS: readonly AccountCommand[] = [
  {
    name: "status",
    summary: "show who is signed in",
    usage: ["codex-login status [--json]"],
    options: [],
    examples: ["codex-login status", "codex-login status --json"],
    exits: { 0: "somebody is signed in", 1: "nobody is signed in", 2: USAGE, 3: STORE },
    asksNobody: true,
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
    exits: {
      0: "the token is on stdout",
      2: USAGE,
      3: STORE,
      4: "signing in (again) is required",
      5: UNREACHABLE,
    },
    isAttempt: true,
    load: async () => (await import("./token.ts")).runToken,
  },
  {
    name: "refresh",
    summary: "renew the login now",
    usage: ["codex-login refresh"],
    options: [],
    examples: ["codex-login refresh"],
    exits: {
      0: "the login was renewed",
      2: USAGE,
      3: STORE,
      4: "signing in (again) is required",
      5: UNREACHABLE,
    },
    isAttempt: true,
    load: async () => (await import("./refresh.ts")).runRefresh,
  },
  {
    name: "logout",
    summary: "end the login at its issuer, then delete it here",
    usage: ["codex-login logout [--local-only]"],
    options: [{ name: "local-only", help: "delete it here and ask nobody" }],
    examples: ["codex-login logout", "codex-login logout --local-only"],
    exits: {
      0: "signed out; also when nothing was stored, or only the revocation failed",
      2: USAGE,
      3: STORE,
    },
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
    options: [{ name: "local-only", action: "remove", help: "delete it here and ask nobody" }],
    examples: [
      "codex-login profile save work",
      "codex-login profile use work",
      "codex-login profile list --json",
      "codex-login profile remove work",
    ],
    exits: { 0: "done", 2: "wrong usage or settings, or no such profile", 3: STORE },
    isAttempt: true,
    load: async () => (await import("./profile.ts")).runProfile,
  },
  {
    name: "doctor",
    summary: "look for what would go wrong, and say why; changes nothing",
    usage: ["codex-login doctor [--json] [--bundle FILE] [--issuer URL]"],
    options: [
      {
        name: "bundle",
        value: "FILE",
        takes: "file",
        help: "also write a file for support, without secrets",
      },
      {
        name: "issuer",
        value: "URL",
        help: "look at the way to this issuer (default: the login's, else the usual one)",
      },
    ],
    examples: ["codex-login doctor", "codex-login doctor --bundle codex-login-report.txt"],
    exits: { 0: "nothing fails", 1: "something fails", 2: USAGE, 3: UNWRITABLE },
    isDiagnosis: true,
    load: async () => (await import("./doctor.ts")).runDoctor,
  },
];
