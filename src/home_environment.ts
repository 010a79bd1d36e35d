import { join, resolve } from "node:path";
import { readSmallFile } from "./small_file.ts";
import type { World } from "./world.ts";

const MAX_BYTES = 1 << 16;
const PROXIES = ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
const CERTIFICATES = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];

/**
 * A World that also knows the proxies and certificates of `$CODEX_HOME/.env`. Nothing else is taken from that file, and the real
 * environment comes first. A file that cannot be read is as good as none.
 *
 * @param home absolute, or empty where nobody knows it.
 */
export async function withHomeEnvironment(world: World, home: string): Promise<World> {
  if (home === "") return world;
  const text = await readSmallFile(join(home, ".env"), MAX_BYTES, (reason) => new Error(reason))
    .catch(() => undefined);
  const found = parse(text ?? "").filter(([name]) => isOurs(name) && !isSet(world.env, name))
    .map(([name, value]) => [name, CERTIFICATES.includes(name) ? resolve(home, value) : value]);
  if (found.length === 0) return world;
  const env = { ...world.env, ...Object.fromEntries(found) };
  return { ...world, env, ...world.routeBy?.(env) };
}

/** Lines of the form NAME=VALUE, as shells have them. No expression here tries a row of blanks more than once: it can be long. */
function parse(text: string): [name: string, value: string][] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name = "", rest = ""] =
      /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line.trim()) ?? [];
    const value = rest.trim();
    const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(value);
    const plain = quoted ? quoted[2] ?? "" : value.replace(/(^|\s)#.*$/, "").trimEnd();
    return name === "" || plain === "" ? [] : [[name, plain]];
  });
}

function isOurs(name: string): boolean {
  return CERTIFICATES.includes(name) || PROXIES.includes(name) ||
    (PROXIES.includes(name.toUpperCase()) && name === name.toLowerCase());
}

function isSet(env: World["env"], name: string): boolean {
  return [name, name.toLowerCase(), name.toUpperCase()].some((one) => env[one]);
}
