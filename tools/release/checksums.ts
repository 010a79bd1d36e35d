import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./archives.ts";

export const CHECKSUMS = "SHA256SUMS";

/** What sha256sum(1) reads with `-c`: every file of a folder but itself, by name. */
export function listChecksums(folder: string): string {
  return readdirSync(folder)
    .filter((name) => name !== CHECKSUMS)
    .sort()
    .map((name) => `${sha256(readFileSync(join(folder, name)))}  ${name}\n`)
    .join("");
}
