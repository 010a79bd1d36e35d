import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkExecutable, IDENTIFIER } from "./check_executable.ts";
import { signAdHoc } from "./code_signature.ts";
import type { Target } from "./targets.ts";
import { nameExecutable } from "./version_resource.ts";

/**
 * Does what Bun cannot do for a machine that it does not run on, and judges the result: what is not as it must be is removed.
 * Says what it found.
 *
 * @param addon as the sources import it.
 */
export function finishExecutable(file: string, target: Target, addon: string): string {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  try {
    const bytes = finish(readFileSync(file), target, version);
    if (bytes) writeFileSync(file, bytes, { mode: 0o755 });
    const expected = { version, addon: readFileSync(join("src", addon)) };
    return checkExecutable(readFileSync(file), target, expected);
  } catch (thrown) {
    rmSync(file);
    throw thrown;
  }
}

function finish(
  bytes: Buffer,
  { format, executable }: Target,
  version: string,
): Buffer | undefined {
  switch (format) {
    case "elf":
      return undefined;
    case "mach-o":
      return signAdHoc(bytes, IDENTIFIER);
    case "pe":
      return nameExecutable(bytes, version, {
        FileDescription: "Sign in to ChatGPT/Codex",
        FileVersion: version,
        InternalName: IDENTIFIER,
        LegalCopyright: "Apache-2.0",
        OriginalFilename: executable,
        ProductName: IDENTIFIER,
        ProductVersion: version,
      });
  }
}
