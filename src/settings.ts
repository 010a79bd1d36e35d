import { childPath } from "./child_path.ts";
import { LoginError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { printable } from "./printable.ts";
import { readSmallFile } from "./small_file.ts";

const MAX_BYTES = 1 << 20;
const SYSTEM_FOLDER = "/etc/codex";

/** A setting as it was found, unchecked. */
export interface Setting {
  readonly value: unknown;
  /** The file, or `-c`: where a person has to look when it is wrong. */
  readonly source: string;
}

/** The settings that are ours, checked. Their schema is in own_settings.ts, which is loaded when there are any. */
export interface OwnSettings {
  readonly cli_auth_credentials_store: "file" | "keyring" | "auto" | "ephemeral";
  readonly forced_login_method?: "chatgpt" | "api" | undefined;
  readonly forced_chatgpt_workspace_id: readonly string[];
  readonly chatgpt_base_url?: string | undefined;
  readonly log_dir?: string | undefined;
}

/**
 * All settings by name: the system's file, the home's, the `-c` overrides and the managed file, each over the one before
 * (the order of the reference, tried against it).
 *
 * @throws {LoginError} CONFIG
 */
export async function readSettings(
  home: string,
  overrides: readonly string[],
  systemFolder: string = SYSTEM_FOLDER,
): Promise<ReadonlyMap<string, Setting>> {
  const [system, own, managed] = settingsPaths(home, systemFolder);
  const sources: (readonly [source: string, values: JsonObject])[] = [];
  for (const path of [system, own]) sources.push([path, await readTomlFile(path)]);
  sources.push(["-c", await readOverrides(overrides)], [managed, await readTomlFile(managed)]);
  return new Map(sources.flatMap(([source, values]) => toSettings(source, values)));
}

/** Those that a command line gives, by themselves. @throws {LoginError} CONFIG */
export async function readOverrideSettings(
  overrides: readonly string[],
): Promise<ReadonlyMap<string, Setting>> {
  return new Map(toSettings("-c", await readOverrides(overrides)));
}

/** Every file that settings are read from: the system's, the home's, the managed one. */
export function settingsPaths(
  home: string,
  systemFolder: string = SYSTEM_FOLDER,
): readonly [string, string, string] {
  return [
    childPath(systemFolder, "config.toml"),
    childPath(home, "config.toml"),
    childPath(systemFolder, "managed_config.toml"),
  ];
}

function toSettings(source: string, values: JsonObject): [string, Setting][] {
  return Object.entries(values).map(([name, value]) => [name, { value, source }]);
}

async function readTomlFile(path: string): Promise<JsonObject> {
  const text = await readSmallFile(path, MAX_BYTES, (reason) => unreadable(path, reason));
  return text === undefined ? {} : await parseToml(text, path);
}

async function parseToml(text: string, path: string): Promise<JsonObject> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const summary = printable(thrown.message.split("\n")[0] ?? "", 120);
    throw unreadable(path, `line ${thrown.line}, column ${thrown.column}: ${summary}`);
  }
}

async function readOverrides(overrides: readonly string[]): Promise<JsonObject> {
  const settings: [string, unknown][] = [];
  for (const override of overrides) {
    const at = override.indexOf("=");
    const key = override.slice(0, at).trim();
    if (at < 0 || key === "") {
      throw new LoginError(
        "CONFIG",
        `-c "${printable(override, 60)}" is not of the form key=value`,
      );
    }
    settings.push([key, await parseValue(override.slice(at + 1).trim())]);
  }
  // fromEntries defines members, so that one named "__proto__" stays data.
  return Object.fromEntries(settings);
}

/** TOML if it is that, else the text itself, quotes around it cut. */
async function parseValue(text: string): Promise<unknown> {
  const { parse } = await import("smol-toml");
  try {
    const document = parse(`value = ${text}`);
    if (isJsonObject(document) && Object.keys(document).length === 1) return document["value"];
  } catch {
    // Not TOML: a plain word, as people type it.
  }
  return text.replace(/^["']+|(?<!["'])["']+$/g, "");
}

function unreadable(path: string, reason: string): LoginError {
  return new LoginError("CONFIG", `The settings file ${printable(path)} cannot be used`, {
    reason,
  });
}
