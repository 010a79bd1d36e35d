import type { Command, Option } from "./command.ts";
import { completionLevels, type Level, optionsWithValues } from "./completion_levels.ts";
import { COMMON_OPTIONS } from "./common_options.ts";

export function fishCompletion(commands: readonly Command[]): string {
  const levels = completionLevels(commands);
  const common = new Set(COMMON_OPTIONS.map(({ name }) => name));
  return `# fish completion for codex-login: codex-login completion fish | source

# The words before the cursor, without options and their values; "-" when they lead nowhere.
function __codex_login_level
    set -l level ''
    set -l expects no
    set -l tokens (commandline -opc)
    set -e tokens[1]
    for word in $tokens
        if test $expects = yes
            set expects no
            continue
        end
        switch $word
            case '--*=*'
            case ${optionsWithValues(commands).map(quote).join(" ")}
                set expects yes
            case '-*'
            case '*'
                switch "$level $word"
                    case ${levels.filter(({ path }) => path !== "").map(step).join(" ")}
                        set level (string trim "$level $word")
                    case '*'
                        set level -
                end
        end
    end
    echo $level
end

function __codex_login_at
    contains -- (__codex_login_level) $argv
end

complete -c codex-login -f
${visible(COMMON_OPTIONS).map((one) => option(one)).join("\n")}
${
    levels.flatMap(({ path, words }) =>
      words.map(({ name, help }) => `${at([path])} -a ${quote(name)} -d ${quote(help)}`)
    ).join("\n")
  }
${ownOptions(levels, common).join("\n")}
`;
}

/** Each option once, with all places where it can stand. */
function ownOptions(levels: readonly Level[], common: ReadonlySet<string>): string[] {
  const found = new Map<string, { one: Option; paths: string[] }>();
  for (const { path, options } of levels) {
    for (const one of options.filter(({ name }) => !common.has(name))) {
      const key = `${one.name} ${one.help}`;
      const known = found.get(key) ?? { one, paths: [] };
      known.paths.push(path);
      found.set(key, known);
    }
  }
  return [...found.values()].map(({ one, paths }) => option(one, paths));
}

function option(
  { name, short, value, choices = [], takes, help = "" }: Option,
  paths?: string[],
): string {
  const what = value === undefined
    ? ""
    : takes === "file"
    ? " -r -F"
    : takes === "folder"
    ? " -x -a '(__fish_complete_directories (commandline -ct))'"
    : takes === "program"
    ? " -x -a '(__fish_complete_command)'"
    : choices.length > 0
    ? ` -x -a ${quote(choices.join(" "))}`
    : " -x";
  const begin = paths === undefined ? "complete -c codex-login" : at(paths);
  return `${begin}${short ? ` -s ${short}` : ""} -l ${name}${what} -d ${quote(help)}`;
}

function at(paths: readonly string[]): string {
  return `complete -c codex-login -n ${
    quote(`__codex_login_at ${paths.map((path) => `"${path}"`).join(" ")}`)
  }`;
}

function step({ path }: Level): string {
  const words = path.split(" ");
  return quote(`${words.slice(0, -1).join(" ")} ${words.at(-1)}`);
}

function visible(options: readonly Option[]): Option[] {
  return options.filter(({ help }) => help !== undefined);
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
