import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./program.ts";

/** What is loaded together with some files of src/: what they import, but for types and what waits for an `import()`. */
export interface LoadedModules {
  /** Files of src/, by their paths in it. */
  readonly own: readonly string[];
  readonly packages: readonly string[];
  /** Modules of the runtime itself, without `node:`. */
  readonly builtIn: readonly string[];
}

/** @param entries files of src/ that are loaded one after the other. */
export function loadedWith(entries: readonly string[]): LoadedModules {
  const src = join(ROOT, "src");
  const own = new Set<string>();
  const packages = new Set<string>();
  const builtIn = new Set<string>();
  const pending = entries.map((entry) => join(src, entry));
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (own.has(path)) continue;
    own.add(path);
    const statements = readFileSync(path, "utf8")
      .matchAll(/^(?:import|export) (?!type )(?:[^;"]*? from )?"([^"]+)"/gm);
    for (const [statement, name = ""] of statements) {
      if (isOfTypes(statement)) continue;
      if (name.startsWith(".")) pending.push(join(dirname(path), name));
      else if (name.startsWith("node:")) builtIn.add(name.slice("node:".length));
      else packages.add(name);
    }
  }
  const sorted = (names: Iterable<string>): string[] => [...names].sort();
  return {
    own: sorted([...own].filter((path) => path.endsWith(".ts")).map((path) => relative(src, path))),
    packages: sorted(packages),
    builtIn: sorted(builtIn),
  };
}

/** `import { type A, type B } from "…"` vanishes like `import type`. */
function isOfTypes(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1]?.split(",").map((one) => one.trim())
    .filter((one) => one !== "") ?? [];
  return names.length > 0 && names.every((one) => one.startsWith("type "));
}
