import type { ProgramCommand } from "./command.ts";
import { UNWRITABLE, USAGE } from "./exit_codes.ts";

/** What is about the program itself. */
export const PROGRAM_COMMANDS: readonly ProgramCommand[] = [
  {
    name: "completion",
    isAboutProgram: true,
    summary: "print what a shell needs to complete commands and options",
    usage: ["codex-login completion bash|zsh|fish|powershell"],
    actions: [
      { name: "bash", words: [], help: "for ~/.bashrc, or a folder of bash-completion" },
      {
        name: "zsh",
        words: [],
        help: "for ~/.zshrc after compinit, or a file _codex-login in $fpath",
      },
      { name: "fish", words: [], help: "for ~/.config/fish/completions/codex-login.fish" },
      { name: "powershell", words: [], help: "for $PROFILE" },
    ],
    options: [],
    examples: [
      "source <(codex-login completion bash)",
      "source <(codex-login completion zsh)",
      "codex-login completion fish > ~/.config/fish/completions/codex-login.fish",
      "codex-login completion powershell | Out-String | Invoke-Expression",
    ],
    exits: { 0: "done", 2: USAGE, 3: UNWRITABLE },
    load: async () => (await import("./completion.ts")).runCompletion,
  },
  {
    name: "help",
    isAboutProgram: true,
    summary: "show help for a command",
    usage: ["codex-login help [COMMAND [ACTION]]"],
    options: [],
    examples: ["codex-login help", "codex-login help login", "codex-login help profile use"],
    exits: { 0: "done", 2: USAGE, 3: UNWRITABLE },
    load: async () => (await import("./help.ts")).runHelp,
  },
  {
    name: "version",
    isAboutProgram: true,
    summary: "show the version, or with --check whether there is a newer one",
    usage: ["codex-login version [--check] [--json]"],
    options: [
      { name: "check", help: "ask the npm registry, and nobody else, for the latest version" },
    ],
    examples: ["codex-login version", "codex-login version --json", "codex-login version --check"],
    exits: {
      0: "done; with --check also when there is a newer version",
      2: USAGE,
      3: UNWRITABLE,
      5: "the registry cannot be reached or did not answer usably in time",
    },
    load: async () => (await import("./version.ts")).runVersion,
  },
  {
    name: "licenses",
    isAboutProgram: true,
    summary: "show the licences of everything that is in this program",
    usage: ["codex-login licenses"],
    options: [],
    examples: ["codex-login licenses | less"],
    exits: { 0: "done", 2: USAGE, 3: UNWRITABLE },
    load: async () => (await import("./licenses.ts")).runLicenses,
  },
];
