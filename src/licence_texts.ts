import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";

/** The file that the build embeds; in the sources there is none, and the packages are asked. */
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
  return await readFile(isAbsolute(path) ? path : new URL(path, import.meta.url), "utf8");
}
