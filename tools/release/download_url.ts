import { REPOSITORY } from "../../src/version.ts";

/** Where a file of a release is downloaded. */
export function downloadUrl(version: string, file: string): string {
  return `${REPOSITORY}/releases/download/v${version}/${file}`;
}
