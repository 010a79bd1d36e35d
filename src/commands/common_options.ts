import type { Option } from "./command.ts";

/** Understood by every command. */
export const COMMON_OPTIONS: readonly Option[] = [
  {
    name: "codex-home",
    value: "DIR",
    takes: "folder",
    help: "where credentials and settings are (default $CODEX_HOME, else ~/.codex)",
  },
  {
    name: "config",
    short: "c",
    value: "KEY=VALUE",
    repeatable: true,
    choices: [
      "cli_auth_credentials_store=file",
      "cli_auth_credentials_store=keyring",
      "cli_auth_credentials_store=auto",
      "cli_auth_credentials_store=ephemeral",
      "forced_login_method=chatgpt",
      "forced_login_method=api",
      "forced_chatgpt_workspace_id=",
      "chatgpt_base_url=",
      "log_dir=",
    ],
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

/** Understood where no command stands. */
export const VERSION_OPTION: Option = { name: "version", short: "V", help: "show the version" };
