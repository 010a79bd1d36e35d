import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseAuthFile } from "./credentials/auth_file.ts";
import { resolveAuthPath } from "./credentials/auth_path.ts";
import { profilesFolder } from "./credentials/profile_paths.ts";
import { readText } from "./credentials/stored_file.ts";
import { isJsonObject } from "./json.ts";
import { printable } from "./printable.ts";
import type { World } from "./world.ts";

/** Members of a stored login that are no secrets, and would cut up what is told if they were treated so. */
const HARMLESS = new Set(["auth_mode", "last_refresh", "issuer", "client_id", "account_id"]);

/** What has one of these in its name has a secret for its value. */
export const SECRET_NAME =
  /token|secret|passw|credential|api_?key|access_?key|private_?key|authorization|cookie/i;

/** What looks like a token, a key, or an address with a password, wherever it comes from. */
const SECRET_FORMS: readonly (readonly [form: RegExp, shown: string])[] = [
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, "[redacted]"],
  [/\b(?:sk|at|rt|ac|oaistb|dapi|ghp|gho|xox[a-z])[-_][\w.-]{16,}/g, "[redacted]"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, "$1 [redacted]"],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*(?::[^\s@]*)?@/gi, "$1***@"],
  [
    // A word in capitals is one of our own codes.
    /\b(code|state|code_verifier|secret|password|[a-z_]*token|[a-z_]*key)=(?![A-Z_]+\b)[^\s&"]{8,}/g,
    "$1=[redacted]",
  ],
];

/** A text of JSON that is long enough to be a secret; it may end where the file does, and is no name. */
const QUOTED = /"((?:[^"\\]|\\.){16,})(?:"(?!\s*:)|$)/g;

/** Makes any text fit to be shown to others: cleaned, without known secrets, and without what looks like one. */
export type Clean = (text: string, maxLength?: number) => string;

/**
 * Collects every secret that this program could come across, so that none gets out whatever prints it.
 *
 * @param readsLogins false where no stored login may be read.
 */
export async function createClean(
  world: Pick<World, "env">,
  home: string,
  readsLogins: boolean,
): Promise<Clean> {
  const found = new Set(environmentSecrets(world));
  if (readsLogins && home !== "") { for (const one of await storedSecrets(home)) found.add(one); }
  const secrets = [...found].flatMap((one) => [one, ...encoded(one)])
    // What is a part of another must not cut it in two.
    .sort((a, b) => b.length - a.length);
  return (text, maxLength = 2_000) => {
    let clean = printable(text, Infinity, secrets);
    for (const [form, shown] of SECRET_FORMS) clean = clean.replace(form, shown);
    return printable(clean, maxLength);
  };
}

/** As headers and tools write them; what is too short to be a secret would be too common. */
function encoded(secret: string): string[] {
  if (secret.length < 8) return [];
  const bytes = Buffer.from(secret);
  return [bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
}

function environmentSecrets({ env }: Pick<World, "env">): string[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (SECRET_NAME.test(name)) return [value];
    const user = /^[a-z][a-z0-9+.-]*:\/\/(.*)@/is.exec(value)?.[1];
    if (user === undefined) return [];
    const password = user.slice(user.indexOf(":") + 1);
    return [user, password, decoded(password)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function storedSecrets(home: string): Promise<string[]> {
  const { target } = await resolveAuthPath(home).catch(() => ({ target: join(home, "auth.json") }));
  const folders = [dirname(target), profilesFolder(home)];
  const texts = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    const own = names.filter((name) => folder !== folders[0] || /auth\.json/.test(name));
    return await Promise.all(
      own.map((name) => readText(join(folder, name)).catch(() => undefined)),
    );
  });
  return (await Promise.all(texts)).flat().flatMap((text) => secretsIn(text));
}

function secretsIn(text: string | undefined): string[] {
  try {
    return leaves(parseAuthFile(text ?? "")?.document);
  } catch {
    // Nobody can read it, but what is in quotes may still be a secret.
    return [...(text ?? "").matchAll(QUOTED)].flatMap((
      [, inside = ""],
    ) => [inside, unescaped(inside)]);
  }
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

function leaves(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => HARMLESS.has(name) ? [] : leaves(one));
}
