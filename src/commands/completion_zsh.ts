import type { Command, Option } from "./command.ts";
import {
  completionLevels,
  type Level,
  optionsWithKnownValues,
  optionsWithValues,
} from "./completion_levels.ts";

/** For `source` after compinit, and for a file `_codex-login` in $fpath. */
export function zshCompletion(commands: readonly Command[]): string {
  const levels = completionLevels(commands);
  return `#compdef codex-login
# zsh completion for codex-login: source <(codex-login completion zsh), after compinit

_codex-login() {
  local word level="" expects="" cur
  local -a found

  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $expects ]]; then
      expects=""
      continue
    fi
    case $word in
      (--*=*) ;;
      (${optionsWithValues(commands).join("|")}) expects=$word ;;
      (-*) ;;
      (*)
        case "$level $word" in
${levels.filter(({ path }) => path !== "").map(leadsTo).join("\n")}
          (*) level=- ;;
        esac
        ;;
    esac
  done

  cur=$words[CURRENT]
  if [[ -z $expects && $cur == --*=* ]]; then
    expects=\${cur%%=*}
    compset -P 1 '*='
  fi

  if [[ -n $expects ]]; then
    case $expects in
${optionsWithKnownValues(commands).map(valuesOf).join("\n")}
      (*) _message 'value' ;;
    esac
    return
  fi

  case $level in
${levels.map(offered).join("\n")}
    (*) _message 'nothing more' ;;
  esac
}

# Called by a file in $fpath, or read by source.
if [[ $funcstack[1] == _codex-login ]]; then
  _codex-login "$@"
else
  compdef _codex-login codex-login
fi
`;
}

function leadsTo({ path }: Level): string {
  const before = path.split(" ").slice(0, -1).join(" ");
  return `          ("${before} ${path.split(" ").at(-1)}") level="${path}" ;;`;
}

function valuesOf({ name, short, value, choices = [], takes }: Option): string {
  const typed = short ? `--${name}|-${short}` : `--${name}`;
  const whole = choices.filter((one) => !one.endsWith("="));
  const begun = choices.filter((one) => one.endsWith("="));
  const offers = (words: readonly string[], suffix = ""): string[] =>
    words.length === 0 ? [] : [`compadd ${suffix}-X ${quote(value ?? "")} -- ${words.join(" ")}`];
  const listing = takes === undefined
    ? [...offers(whole), ...offers(begun, "-S '' ")]
    : [{ folder: "_path_files -/", file: "_files", program: "_command_names -e" }[takes]];
  return [`      (${typed})`, ...listing.map((line) => `        ${line}`)].join("\n") +
    "\n        ;;";
}

/** Words, or where there are none, or a dash was typed, options. */
function offered({ path, words, options }: Level): string {
  const dashed = options.map(({ name, help = "" }) => pair(`--${name}`, help));
  const lines = [
    ...(words.length > 0
      ? [
        "if [[ $cur != -* ]]; then",
        `  found=(${words.map(({ name, help }) => pair(name, help)).join(" ")})`,
        "  _describe -t commands command found",
        "  return",
        "fi",
      ]
      : []),
    "found=(",
    ...dashed.map((one) => `  ${one}`),
    ")",
    "_describe -o -t options option found",
  ];
  return [`    ("${path}")`, ...lines.map((line) => `      ${line}`)].join("\n") + "\n      ;;";
}

/** As `_describe` has them; a colon of a name would end it. */
function pair(name: string, help: string): string {
  return quote(`${name.replaceAll(":", "\\:")}:${help}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
