import { existsSync, readFileSync } from "node:fs";
import type { SystemFiles } from "./surroundings.ts";

/** The real ones; what cannot be read is empty, as if it were not there. */
export const systemFiles: SystemFiles = {
  exists: existsSync,
  read(path): string {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  },
};
