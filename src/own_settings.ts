import * as v from "valibot";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import type { OwnSettings, Setting } from "./settings.ts";

const Workspaces = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((ids) =>
    (typeof ids === "string" ? [ids] : ids).map((id) => id.trim()).filter((id) => id !== "")
  ),
);

/** The settings that are ours. All others belong to other programs. */
const Settings = v.object({
  cli_auth_credentials_store: v.optional(
    v.picklist(["file", "keyring", "auto", "ephemeral"]),
    "file",
  ),
  forced_login_method: v.optional(v.picklist(["chatgpt", "api"])),
  forced_chatgpt_workspace_id: v.optional(Workspaces, []),
  chatgpt_base_url: v.optional(v.pipe(v.string(), v.minLength(1))),
  log_dir: v.optional(v.pipe(v.string(), v.minLength(1))),
});

/** Their names in the files. */
export const SETTING_NAMES: readonly string[] = Object.keys(Settings.entries);

/** @throws {LoginError} CONFIG */
export function checkSettings(found: ReadonlyMap<string, Setting>): OwnSettings {
  const values = Object.fromEntries([...found].map(([name, { value }]) => [name, value]));
  const parsed = v.safeParse(Settings, values);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const name = v.getDotPath(issue) ?? "";
  const source = found.get(name.split(".")[0] ?? "")?.source ?? "config.toml";
  throw new LoginError("CONFIG", `The setting ${name} cannot be used`, {
    reason: printable(
      `${source}: expected ${issue.expected ?? "another value"}, found ${issue.received}`,
    ),
  });
}
