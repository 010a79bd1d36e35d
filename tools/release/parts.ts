import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLockedFile } from "./locked_package.ts";
import type { Target } from "./targets.ts";

const UNPACKED = "node_modules/.cache/codex-login/unpacked";

/** What an executable is made of besides the program: files that were just taken from archives with the right checksums. */
export interface Parts {
  /** The runtime's path, from the root of the project. */
  readonly runtime: string;
  /** The keyring's native code, as the sources import it. */
  readonly addon: string;
}

export function partsOf(target: Target): Parts {
  const folder = join(UNPACKED, target.name);
  mkdirSync(folder, { recursive: true });
  const runtime = join(folder, target.format === "pe" ? "bun.exe" : "bun");
  const program = `bin/${target.format === "pe" ? "bun.exe" : "bun"}`;
  writeFileSync(runtime, readLockedFile(target.runtime, program), { mode: 0o755 });
  const addon = join(folder, addonName(target));
  writeFileSync(addon, readAddon(target));
  return { runtime, addon: `../${addon.replaceAll("\\", "/")}` };
}

/** Every target has one. */
export function readAddon(target: Target): Buffer {
  return readLockedFile(target.keyring, addonName(target));
}

/** `keyring.linux-x64-gnu.node` */
function addonName({ keyring }: Target): string {
  const [, platform] = /keyring-(.+)$/.exec(keyring) ?? [];
  return `keyring.${platform}.node`;
}
