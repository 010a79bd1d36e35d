import { statSync } from "node:fs";
import { release } from "node:os";
import { environmentValue, type World } from "./world.ts";

type BrowserWorld = Pick<World, "env" | "platform" | "launch">;

/**
 * Opens an address in the person's browser, as one argument of a program and never through a shell.
 *
 * @param chosen what `--browser` says; else `$BROWSER` decides, else the system.
 * @returns why no browser could be started, or undefined.
 */
export async function openBrowser(
  world: BrowserWorld,
  url: string,
  chosen?: string,
): Promise<string | undefined> {
  const reasons: string[] = [];
  for (const command of browserCommands(world, chosen)) {
    const reason = await world.launch(withAddress(command, url));
    if (reason === undefined) return undefined;
    reasons.push(`${command[0]}: ${reason}`);
  }
  return reasons.join("; ") || "no program is named";
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
  if (world.platform === "win32") return [["rundll32", "url.dll,FileProtocolHandler"]];
  const linux = [["xdg-open"]];
  return isWsl(world) ? [["rundll32.exe", "url.dll,FileProtocolHandler"], ...linux] : linux;
}

/** `%s` stands for the address, by old custom; without it the address comes last. */
function withAddress(command: readonly string[], url: string): string[] {
  const hasPlace = command.some((part) => part.includes("%s"));
  return hasPlace ? command.map((part) => part.replaceAll("%s", url)) : [...command, url];
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

/** A Linux under Windows: the browser is on the other side. */
function isWsl(world: Pick<World, "env" | "platform">): boolean {
  if (world.platform !== "linux") return false;
  return environmentValue(world, "WSL_DISTRO_NAME") !== undefined || /microsoft/i.test(release());
}
