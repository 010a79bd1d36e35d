import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { LoginError, systemCode } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { printable } from "./printable.ts";

const MAX_BYTES = 1 << 20;
const SYSTEM_FOLDER = "/etc/codex";

/**
 * All settings, raw: the system's file, the home's, the `-c` overrides and the managed file, each over the one
 * before (the order of the reference, tried against it).
 *
 * @throws {LoginError} CONFIG
 */
export async function readSettings(
  home: string,
  overrides: readonly string[],
  systemFolder: string = SYSTEM_FOLDER,
): Promise<JsonObject> {
  return {
    ...await readTomlFile(join(systemFolder, "config.toml")),
    ...await readTomlFile(join(home, "config.toml")),
    ...await readOverrides(overrides),
    ...await readTomlFile(join(systemFolder, "managed_config.toml")),
  };
}

async function readTomlFile(path: string): Promise<JsonObject> {
  const text = await readOptional(path);
  if (text === undefined) return {};
  return await parseToml(text, path);
}

async function readOptional(path: string): Promise<string | undefined> {
  let file;
  try {
    // Without O_NONBLOCK a FIFO of that name would hold us for ever.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, code ?? "it cannot be opened");
  }
  try {
    const { size } = await file.stat().then((stat) => {
      if (!stat.isFile()) throw unreadable(path, "it is not a regular file");
      return stat;
    });
    if (size > MAX_BYTES) throw unreadable(path, "it is larger than 1 MiB");
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
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
  const settings: JsonObject = {};
  for (const override of overrides) {
    const at = override.indexOf("=");
    const key = override.slice(0, at).trim();
    if (at < 0 || key === "") {
      throw new LoginError("CONFIG", `-c "${printable(override, 60)}" is not key=value`);
    }
    settings[key] = await parseValue(override.slice(at + 1).trim());
  }
  return settings;
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
  return text.replace(/^["']+|["']+$/g, "");
}

function unreadable(path: string, reason: string): LoginError {
  return new LoginError("CONFIG", `The settings file ${printable(path)} cannot be used`, {
    reason,
  });
}
