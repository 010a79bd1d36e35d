import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzip } from "./gzip.ts";
import { tar } from "./tar.ts";
import type { Target } from "./targets.ts";
import { zip } from "./zip.ts";

/** An executable as it is downloaded. */
export interface Archive {
  readonly target: Target;
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  /** What comes out of it. */
  readonly executable: { readonly size: number; readonly sha256: string };
}

/** The release that archives are made for. */
export interface Release {
  readonly version: string;
  /** The commit that it is made from; null outside a repository. */
  readonly commit: string | null;
  /** What every file in an archive has as its time. */
  readonly modified: Date;
}

const EXECUTABLE = 0o755;

export function archiveName({ version }: Pick<Release, "version">, target: Target): string {
  return `codex-login-${version}-${target.triple}.${isWindows(target) ? "zip" : "tar.gz"}`;
}

/** Packs one executable into `folder`, as the only entry, so that the archive can be unpacked straight into a folder of the PATH. */
export function packExecutable(
  release: Release,
  target: Target,
  executable: string,
  folder: string,
): Archive {
  const content = readFileSync(executable);
  const entry = { name: target.executable, mode: EXECUTABLE, content };
  const packed = isWindows(target)
    ? zip(entry, release.modified)
    : gzip(tar([entry], release.modified));
  const file = archiveName(release, target);
  writeFileSync(join(folder, file), packed);
  return {
    target,
    file,
    size: packed.length,
    sha256: sha256(packed),
    executable: { size: content.length, sha256: sha256(content) },
  };
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Windows unpacks zip files by itself. */
function isWindows({ format }: Target): boolean {
  return format === "pe";
}
