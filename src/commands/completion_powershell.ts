import type { Command } from "./command.ts";
import {
  completionLevels,
  type Level,
  optionsWithKnownValues,
  optionsWithValues,
} from "./completion_levels.ts";

/** For Windows PowerShell 5.1 and PowerShell 7. Where it offers nothing, PowerShell offers files. */
export function powershellCompletion(commands: readonly Command[]): string {
  const chosen = optionsWithKnownValues(commands).filter(({ choices }) => choices !== undefined);
  return `# PowerShell completion for codex-login:
# codex-login completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'codex-login', 'codex-login.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $valued = @(${list(optionsWithValues(commands))})
    $values = @{
${
    chosen.flatMap(({ name, short, choices = [] }) =>
      [`--${name}`, ...(short ? [`-${short}`] : [])].map((typed) =>
        `        ${quote(typed)} = @(${list(choices)})`
      )
    ).join("\n")
  }
    }
    $levels = @{
${completionLevels(commands).map(level).join("\n")}
    }

    $level = ''
    $expects = ''
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        # The word at the cursor is not one of those before it.
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $word = $element.ToString()
        if ($expects) { $expects = ''; continue }
        if ($valued -ccontains $word) { $expects = $word; continue }
        if ($word.StartsWith('-')) { continue }
        $next = "$level $word".Trim()
        if ($levels.ContainsKey($next)) { $level = $next } else { return }
    }

    $before = ''
    $current = $wordToComplete
    if (-not $expects -and $wordToComplete -match '^(--[^=]+)=(.*)$') {
        $expects = $Matches[1]
        $before = "$expects="
        $current = $Matches[2]
    }
    if ($expects) {
        $found = @($values[$expects] | Where-Object { $_ } | ForEach-Object { , @($_, $_) })
    } elseif ($current.StartsWith('-') -or $levels[$level].Words.Count -eq 0) {
        $found = $levels[$level].Options
    } else {
        $found = $levels[$level].Words
    }
    $kind = if ($expects) { 'ParameterValue' } elseif ($current.StartsWith('-')) { 'ParameterName' } else { 'Command' }
    foreach ($pair in $found) {
        if (-not $pair[0].StartsWith($current, [StringComparison]::Ordinal)) { continue }
        [System.Management.Automation.CompletionResult]::new("$before$($pair[0])", $pair[0], $kind, $pair[1])
    }
}
`;
}

function level({ path, words, options }: Level): string {
  const pairs = (rows: readonly { name: string; help?: string }[], dash: string): string =>
    rows.map(({ name, help = "" }) => `            , @(${list([`${dash}${name}`, help])})\n`)
      .join("");
  return `        ${quote(path)} = @{
            Words = @(
${pairs(words, "")}            )
            Options = @(
${pairs(options, "--")}            )
        }`;
}

function list(texts: readonly string[]): string {
  return texts.map(quote).join(", ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
