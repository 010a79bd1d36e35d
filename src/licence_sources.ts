import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Of which something is in every build; the build fails when another package gets into it. */
export const BUNDLED_PACKAGES: readonly string[] = [
  "@clack/core",
  "@clack/prompts",
  "@hono/node-server",
  "@logtape/logtape",
  "@modelcontextprotocol/core",
  "@modelcontextprotocol/server",
  "fast-string-truncated-width",
  "fast-string-width",
  "fast-wrap-ansi",
  "hono",
  "sisteransi",
  "smol-toml",
  "uqr",
  "valibot",
  "zod",
];

const KEYRING = "@napi-rs/keyring";

/** In the executable only: what runs it, and the keyring's native code, which the npm package finds beside itself. */
export const EXECUTABLE_PACKAGES: readonly string[] = ["bun", KEYRING];

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RULE = `${"=".repeat(100)}\n`;

/**
 * The licences of this program and of all that is in it, read from what is installed. The same packages give the same text.
 *
 * @param packages names, in no order.
 */
export function collectLicences(packages: readonly string[], root: string = ROOT): string {
  const own = readPackage(root);
  const parts = [
    `${own.name} ${own.version} is under the licence ${own.license}, whose text comes first. What else is in it:\n\n` +
    packages.toSorted().map((name) => {
      const { version, license } = readPackage(join(root, "node_modules", name));
      return `  ${name} ${version}  ${license}\n`;
    }).join(""),
    readFileSync(join(root, "LICENSE"), "utf8"),
  ];
  // Many have the same text, and it need not be there twice.
  const byText = new Map<string, string[]>();
  for (const name of packages.toSorted()) {
    for (const [title, text] of textsOf(name, root)) {
      byText.set(text, [...byText.get(text) ?? [], title]);
    }
  }
  for (const [text, titles] of byText) parts.push(`${titles.join("\n")}\n\n${text}`);
  return parts.map((part) => part.trimEnd() + "\n").join(`\n${RULE}\n`);
}

/** Each text with what it is for. A package without one has to be looked at by a person. */
function textsOf(name: string, root: string): [title: string, text: string][] {
  const assets = join(root, "assets", "licences");
  if (name === "bun") {
    return [["bun.txt", "bun"], ["LGPL-2.0.txt", "WebKit, in bun"], [
      "LGPL-2.1.txt",
      "TinyCC, in bun",
    ]]
      .map(([file = "", title = ""]) => [title, readFileSync(join(assets, file), "utf8")]);
  }
  const folder = join(root, "node_modules", name);
  const found = readTexts(folder, name);
  if (found.length === 0) throw new Error(`${name} has no licence's text in ${folder}`);
  return name === KEYRING ? [...found, ...nativeTexts(root)] : found;
}

/** The parts of the keyring's native code for the first platform that is installed: they are nearly the same for all. */
function nativeTexts(root: string): [title: string, text: string][] {
  const scope = join(root, "node_modules", "@napi-rs");
  const [first] = readdirSync(scope).filter((name) => name.startsWith("keyring-")).sort();
  return first === undefined ? [] : readTexts(join(scope, first), `@napi-rs/${first}`);
}

function readTexts(folder: string, name: string): [title: string, text: string][] {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  return files.sort().map((file) => [
    `${name} ${readPackage(folder).version}`,
    readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n"),
  ]);
}

function readPackage(folder: string): { name: string; version: string; license: string } {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
