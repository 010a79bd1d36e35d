import { statSync } from "node:fs";
import { STILL_RUNNING } from "./launch.ts";
import { detectWsl } from "./surroundings.ts";
import { systemFiles } from "./system_files.ts";
import { environmentValue, type World } from "./world.ts";

type BrowserWorld = Pick<World, "env" | "platform" | "launch">;

/**
 * Opens an address in the person's browser, as one argument of a program and never through a shell.
 *
 * @param chosen what `--browser` says; else `$BROWSER` decides, else the system.
 * @returns what a person should know: that no browser could be started, and why, or that the program has not come back.
 */
export async function openBrowser(
  world: BrowserWorld,
  url: string,
  chosen?: string,
): Promise<string | undefined> {
  const reasons: string[] = [];
  for (const command of openingCommands(world, url, chosen)) {
    const reason = await world.launch(command);
    if (reason === undefined) return undefined;
    if (reason === STILL_RUNNING) {
      return `${command[0]} has not come back; if no browser appears, open the address yourself.`;
    }
    reasons.push(`${command[0]}: ${reason}`);
  }
  const why = reasons.join("; ") || "no program is named";
  return `No browser could be opened (${why}). Open the address yourself.`;
}

/** The whole command lines to try, in order: the address is one argument of each, as it is. */
export function openingCommands(
  world: Omit<BrowserWorld, "launch">,
  url: string,
  chosen?: string,
): readonly (readonly string[])[] {
  return browserCommands(world, chosen).map((command) => withAddress(command, url));
}

/** What to try, in order. `$BROWSER` may name several programs, separated by colons. */
export function browserCommands(
  world: Omit<BrowserWorld, "launch">,
  chosen?: string,
): readonly (readonly string[])[] {
  const named = environmentValue(world, "BROWSER");
  const separator = world.platform === "win32" ? ";" : ":";
  const texts = chosen ? [chosen] : named?.split(separator);
  if (texts) return texts.map(splitCommand).filter(([program]) => program);
  if (world.platform === "darwin") return [["open"]];
  if (world.platform === "win32") return [[windowsOpener(world), "url.dll,FileProtocolHandler"]];
  const linux = [["xdg-open"]];
  return detectWsl(world, systemFiles)
    ? [["rundll32.exe", "url.dll,FileProtocolHandler"], ...linux]
    : linux;
}

/** `%s` stands for the address and `%%` for a percent sign, by old custom; without a place the address comes last. */
function withAddress(command: readonly string[], url: string): string[] {
  let hasPlace = false;
  const parts = command.map((part) =>
    part.replace(/%[s%]/g, (mark) => {
      if (mark === "%%") return "%";
      hasPlace = true;
      return url;
    })
  );
  return hasPlace ? parts : [...parts, url];
}

/** Words by white space, quotes keep one together; a path with spaces in it that exists is one word. */
function splitCommand(text: string): string[] {
  const trimmed = text.trim();
  if (isFile(trimmed)) return [trimmed];
  const words = trimmed.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g);
  return [...words].map(([, double, single, plain]) => double ?? single ?? plain ?? "");
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** By its whole path: a bare name would be looked for in the current folder first. */
function windowsOpener(world: Pick<World, "env">): string {
  const root = environmentValue(world, "SystemRoot");
  return root === undefined ? "rundll32" : `${root}\\System32\\rundll32.exe`;
}
