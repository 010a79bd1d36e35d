import { readFileSync } from "node:fs";

/** One package of package-lock.json. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; empty where the package says none. */
  readonly license: string;
  /** Of the archive, as npm writes it: `sha512-` and base64. */
  readonly integrity: string;
}

interface Entry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

/** All packages that `npm ci` may install, those for other machines included, in the order of their paths. */
export function readLockfile(path = "package-lock.json"): LockedPackage[] {
  const { packages } = JSON.parse(readFileSync(path, "utf8")) as {
    packages: Record<string, Entry>;
  };
  return Object.entries(packages).flatMap(([place, entry]) => {
    const name = place.split("node_modules/").at(-1) ?? "";
    if (name === "" || entry.link) return [];
    const { version = "", license = "", integrity = "" } = entry;
    return [{ name, version, license, integrity }];
  });
}
