import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { REQUIREMENTS } from "../config.ts";
import { SETTING_NAMES } from "../own_settings.ts";
import { readSettings, type Setting, settingsPaths } from "../settings.ts";
import {
  type Check,
  type Examined,
  failWith,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** So many letters may differ for a name to look like a mistake. */
const SIMILAR = 2;

export function settingsChecks({ config: { home }, obstacle }: Examined): Check[] {
  return [
    {
      id: "settings.files",
      limitMs: FILES_MS,
      run: () =>
        home === "" ? skip("nobody knows where the home folder is") : examine(home, obstacle),
    },
    {
      id: "settings.names",
      limitMs: FILES_MS,
      needs: "settings.files",
      run: async () =>
        home === "" ? skip("there are none") : examineNames(await readSettings(home, [])),
    },
    {
      id: "settings.requirements",
      limitMs: FILES_MS,
      run: () =>
        existsSync(REQUIREMENTS)
          ? warn(
            `${REQUIREMENTS} exists, and codex-login does not evaluate it`,
            "rules that this program knows",
            "ask your administrator what it demands of a sign-in",
          )
          : ok(`there is no ${REQUIREMENTS}`),
    },
  ];
}

async function examine(home: string, obstacle: Examined["obstacle"]): Promise<Finding> {
  if (await stat(home).then((found) => !found.isDirectory(), () => false)) {
    return skip("the home is not a folder");
  }
  if (obstacle) {
    return failWith(obstacle, "settings that can be used; the defaults were taken here");
  }
  const there = settingsPaths(home).filter((path) => existsSync(path));
  return ok(
    there.length > 0 ? there.join(", ") : "there are no settings files; the defaults count",
  );
}

function examineNames(found: ReadonlyMap<string, Setting>): Finding {
  const unknown = [...found].filter(([name]) => !SETTING_NAMES.includes(name));
  for (const [name, { source }] of unknown) {
    const meant = SETTING_NAMES.find((own) =>
      distance(name.toLowerCase().replaceAll("-", "_"), own) <= SIMILAR
    );
    if (meant === undefined) continue;
    return warn(
      `${source} has "${name}", which means nothing here`,
      `"${meant}", if that is meant`,
      `correct the name in ${source}`,
    );
  }
  const own = [...found.keys()].filter((name) => SETTING_NAMES.includes(name));
  return ok(
    own.length > 0 ? `set: ${own.join(", ")}` : "none of the settings of codex-login is set",
  );
}

/** How many letters have to be changed, added or left out (Levenshtein). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > SIMILAR) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1)),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
