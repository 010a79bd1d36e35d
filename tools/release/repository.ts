/** Where this project is at home; nothing else in the tools says it. install.sh, which stands alone, says the same: a test holds it to this. */
export const REPOSITORY = "https://github.com/codex-login/codex-login";

/** Where a file of a release is downloaded. */
export function downloadUrl(version: string, file: string): string {
  return `${REPOSITORY}/releases/download/v${version}/${file}`;
}
