import type { Archive, Release } from "./archives.ts";

/** release.json: what a program needs to choose, download and check an archive, and to see what is in it. */
export function describeRelease(
  { version, commit }: Release,
  archives: readonly Archive[],
): string {
  const targets = archives.map(({ target, file, size, sha256, executable }) => ({
    name: target.name,
    triple: target.triple,
    archive: file,
    size,
    sha256,
    executable: { name: target.executable, ...executable },
  }));
  return `${JSON.stringify({ version, commit, targets }, null, 2)}\n`;
}
