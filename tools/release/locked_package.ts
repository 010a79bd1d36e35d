import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type LockedPackage, readLockfile } from "../lockfile.ts";
import { readTarEntry } from "./tar_entry.ts";

/** Emptied with node_modules, and by nothing else. */
const CACHE = "node_modules/.cache/codex-login";

/** Puts the archive of a package into a folder. */
export type Download = (name: string, version: string, folder: string) => void;

export interface LockedPackageOptions {
  readonly lockfile?: readonly LockedPackage[];
  readonly cache?: string;
  readonly download?: Download;
}

/**
 * A file of a package that may be for another machine, so that `npm ci` does not install it here. The archive is fetched once,
 * and held against the checksum in package-lock.json at every use: what lay in the cache since is no better than what
 * came from a network. Bun's own download of the same packages checks nothing.
 */
export function readLockedFile(
  name: string,
  path: string,
  { lockfile = readLockfile(), cache = CACHE, download = packByNpm }: LockedPackageOptions = {},
): Buffer {
  const locked = lockfile.find((one) => one.name === name);
  if (!locked) throw new Error(`${name} is not in package-lock.json`);
  const file = join(cache, `${name.replace("@", "").replace("/", "-")}-${locked.version}.tgz`);
  if (!existsSync(file)) {
    // A download that is interrupted leaves nothing that looks like a whole one.
    const folder = join(cache, `download-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    try {
      download(name, locked.version, folder);
      renameSync(join(folder, file.slice(cache.length + 1)), file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const packed = readFileSync(file);
  const integrity = `sha512-${createHash("sha512").update(packed).digest("base64")}`;
  if (locked.integrity !== integrity) {
    rmSync(file);
    throw new Error(
      `${name}@${locked.version} is not what package-lock.json says; removed ${file}`,
    );
  }
  return readTarEntry(packed, `package/${path}`);
}

/** By npm itself, so from where it is configured to fetch from. */
function packByNpm(name: string, version: string, folder: string): void {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status, stderr, error } = spawnSync(
    npm,
    ["pack", "--ignore-scripts", "--pack-destination", folder, `${name}@${version}`],
    { encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error(`npm could not fetch ${name}@${version}: ${error ?? stderr}`);
}
