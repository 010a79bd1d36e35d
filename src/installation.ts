import { realpath } from "node:fs/promises";
import type { World } from "./world.ts";

/** What runs: an executable, the npm package's bundle, or the sources; and the file, links followed. */
export interface Installation {
  readonly kind: "executable" | "bundle" | "sources";
  readonly path: string;
}

export async function findInstallation({ runtime }: Pick<World, "runtime">): Promise<Installation> {
  const command = runtime.helperCommand("");
  // The runtime, its options, and the file to start; an executable is all that in one.
  const entry = command.length > 2 ? command.at(-2) : undefined;
  const path = entry ?? command[0] ?? "";
  return {
    kind: entry === undefined ? "executable" : entry.endsWith(".ts") ? "sources" : "bundle",
    // Homebrew and npm put links where people find them.
    path: await realpath(path).catch(() => path),
  };
}

/** Whose folders are whose; the first that fits counts. */
const INSTALLERS: readonly (readonly [folder: RegExp, command: string])[] = [
  [/\/Cellar\//, "brew upgrade codex-login"],
  [/\/_npx\//, "npx codex-login@latest"],
  [/\/bunx-[^/]*\//, "bunx codex-login@latest"],
  [/\/\.bun\/install\/global\//, "bun add -g codex-login@latest"],
  [/\/pnpm\/(global\/|.*\/global\/)/, "pnpm add -g codex-login@latest"],
  [/\/(lib|npm)\/node_modules\//, "npm install -g codex-login@latest"],
  [/\/node_modules\//, "npm install codex-login@latest"],
];

/** What brings a newer version there: whoever put this one there has to do it, or they get in each other's way. */
export function updateCommand({ kind, path }: Installation): string | undefined {
  if (kind === "sources") return "git pull";
  const folders = path.replaceAll("\\", "/");
  return INSTALLERS.find(([folder]) => folder.test(folders))?.[1];
}
