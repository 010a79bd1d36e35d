import type { Command, Option } from "./command.ts";
import {
  completionLevels,
  type Level,
  optionsWithKnownValues,
  optionsWithValues,
} from "./completion_levels.ts";

/** For bash 3.2 and later, which is what macOS has; nothing of bash-completion is needed. */
export function bashCompletion(commands: readonly Command[]): string {
  const levels = completionLevels(commands);
  return `# bash completion for codex-login: source <(codex-login completion bash)

_codex_login() {
    local -a line=() found=()
    local word cur whole level="" expects="" i n=0 glue="" IFS=$' \\t\\n'
    COMPREPLY=()

    # Bash takes "--option=value" for three words.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        if [[ $n -gt 0 && ( -n $glue || $word == "=" ) ]]; then
            line[n-1]+=$word
            glue=""
        else
            line[n]=$word
            n=$((n + 1))
        fi
        [[ $word == "=" ]] && glue=1
    done

    for ((i = 0; i < n - 1; i++)); do
        word=\${line[i]}
        if [[ -n $expects ]]; then
            expects=""
            continue
        fi
        case $word in
            --*=*) ;;
            ${optionsWithValues(commands).join("|")}) expects=$word ;;
            -*) ;;
            *)
                case "$level $word" in
${levels.filter(({ path }) => path !== "").map(leadsTo).join("\n")}
                    *) level=- ;;
                esac
                ;;
        esac
    done

    whole=\${line[n-1]}
    cur=$whole
    if [[ -z $expects && $cur == --*=* ]]; then
        expects=\${cur%%=*}
        cur=\${cur#*=}
    fi

    if [[ -n $expects ]]; then
        case $expects in
${optionsWithKnownValues(commands).map(valuesOf).join("\n")}
            *) return ;;
        esac
        [[ $whole == --*=* ]] && found=("\${found[@]/#/$expects=}")
    else
        case $level in
${levels.map(offered).join("\n")}
        esac
    fi

    COMPREPLY=("\${found[@]}")
    # What stands before "=" is a word of its own, and stays.
    if [[ $COMP_WORDBREAKS == *=* && $whole == *=* ]]; then
        COMPREPLY=("\${found[@]#"\${whole%"\${whole##*=}"}"}")
    fi
    if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -F _codex_login codex-login
`;
}

function leadsTo({ path }: Level): string {
  const before = path.split(" ").slice(0, -1).join(" ");
  return `                    "${before} ${path.split(" ").at(-1)}") level="${path}" ;;`;
}

function valuesOf({ name, short, choices = [], takes }: Option): string {
  const typed = short ? `--${name}|-${short}` : `--${name}`;
  const lines = takes === "file"
    ? paths("default", "f")
    : takes === "folder"
    ? paths("dirnames", "d")
    : [`found=($(compgen ${takes ? "-c" : `-W "${choices.join(" ")}"`} -- "$cur"))`];
  return [`            ${typed})`, ...lines.map((line) => `                ${line}`)]
    .join("\n") + "\n                ;;";
}

/** Readline knows "~" and how to quote. Where it cannot be told to, as in the bash of macOS, a list has to do. */
function paths(way: "default" | "dirnames", kind: "f" | "d"): string[] {
  return [
    `compopt -o ${way} 2>/dev/null && return`,
    `while IFS= read -r word; do found+=("$word"); done < <(compgen -${kind} -- "$cur")`,
  ];
}

/** Words, or where there are none, or a dash was typed, options. */
function offered({ path, words, options }: Level): string {
  const dashed = options.map(({ name }) => `--${name}`).join(" ");
  const plain = words.map(({ name }) => name).join(" ") || dashed;
  return `            "${path}")
                if [[ $cur == -* ]]; then
                    found=($(compgen -W "${dashed}" -- "$cur"))
                else
                    found=($(compgen -W "${plain}" -- "$cur"))
                fi
                ;;`;
}
