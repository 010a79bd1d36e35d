import { LoginError } from "./errors.ts";

/** The npm package is several files, of which somebody may have taken the first alone. */
export function missingFile(name: string): LoginError {
  return new LoginError(
    "USAGE",
    `${name} is missing: it lies beside this program in the npm package`,
    {
      hint:
        "take the whole package (npm install codex-login), or the executable, which is one file",
    },
  );
}
