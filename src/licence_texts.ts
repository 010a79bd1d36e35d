import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { promisify } from "node:util";

/** The file that the build embeds, packed in the executable; in the sources there is none, and the packages are asked. */
declare const LICENCES_FILE: string | undefined;

/** The licences of everything that is in this program. */
export async function readLicences(): Promise<string> {
  if (typeof LICENCES_FILE === "undefined") {
    const { BUNDLED_PACKAGES, collectLicences, EXECUTABLE_PACKAGES } = await import(
      "./licence_sources.ts"
    );
    return collectLicences([...BUNDLED_PACKAGES, ...EXECUTABLE_PACKAGES]);
  }
  const { default: path } = await import(LICENCES_FILE, { with: { type: "file" } });
  const content = await readFile(isAbsolute(path) ? path : new URL(path, import.meta.url));
  if (!path.endsWith(".gz")) return content.toString("utf8");
  const { gunzip } = await import("node:zlib");
  return (await promisify(gunzip)(content)).toString("utf8");
}
