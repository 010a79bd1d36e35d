import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { browserCommands } from "../browser.ts";
import { REGISTERED_PORTS } from "../binding.ts";
import { detectSurroundings } from "../surroundings.ts";
import { systemFiles } from "../system_files.ts";
import { environmentValue, type World } from "../world.ts";
import { type Check, type Examined, FILES_MS, type Finding, ok, warn } from "./check.ts";

/** What would open the browser, and whether one would be opened at all; none is. */
export function openerChecks({ world }: Examined): Check[] {
  return [
    { id: "browser.place", limitMs: FILES_MS, run: () => examinePlace(world) },
    { id: "browser.opener", limitMs: FILES_MS, run: () => examineOpener(world) },
  ];
}

function examinePlace(world: World): Finding {
  const { noticed, canOpenBrowser, ways } = detectSurroundings(
    world,
    systemFiles,
    REGISTERED_PORTS[0] ?? 0,
  );
  const place = noticed.length > 0 ? `this looks like ${noticed.join(", ")}` : "a desktop";
  if (canOpenBrowser) return ok(`${place}: a browser is opened here`);
  if (environmentValue(world, "BROWSER") !== undefined) {
    return ok(`${place}; a browser is opened, because BROWSER is set`);
  }
  return warn(
    `${place}: no browser is opened, the address is shown`,
    "a browser on this computer",
    [
      "codex-login --device-auth",
      ...ways.map((way) => `or, on the computer with the browser: ${way}`),
    ].join("; "),
  );
}

async function examineOpener(world: World): Promise<Finding> {
  const source = environmentValue(world, "BROWSER") === undefined ? "" : " (BROWSER)";
  const missing: string[] = [];
  for (const [program = ""] of browserCommands(world)) {
    const path = await findProgram(world, program);
    if (path !== undefined) return ok(`${program}${source} opens it: ${path}`);
    missing.push(program);
  }
  return warn(
    `${missing.join(", ") || "no program"}${source}: not found`,
    "a program that opens addresses",
    "codex-login --browser CMD, or open the address yourself",
  );
}

async function findProgram(world: World, name: string): Promise<string | undefined> {
  const folders = isAbsolute(name) || name.includes("/")
    ? [""]
    : (environmentValue(world, "PATH") ?? environmentValue(world, "Path") ?? "").split(delimiter);
  const endings = world.platform === "win32" ? ["", ".exe"] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const path = folder === "" ? name + ending : join(folder, name + ending);
      const isFound = await access(path, constants.X_OK).then(() => true, () => false);
      if (isFound) return path;
    }
  }
  return undefined;
}
