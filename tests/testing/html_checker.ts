import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * What the Nu HTML checker, the one of the W3C, has to say of pages: errors, warnings and notes, a line each, which begins with
 * the page's name. It needs Java.
 */
export async function checkHtml(pages: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "codex-login-html-"));
  try {
    const files = Object.keys(pages).map((name) => join(folder, `${name}.html`));
    await Promise.all(Object.values(pages).map((html, i) => writeFile(files[i] ?? "", html)));
    const { messages } = JSON.parse(await runChecker(files));
    return messages.map(({ url, type, message }: Record<string, string>) =>
      `${/([^/]+)\.html$/.exec(url ?? "")?.[1]}: ${type}: ${message}`
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function runChecker(files: readonly string[]): Promise<string> {
  const found = dirname(createRequire(import.meta.url).resolve("vnu-jar/package.json"));
  const checker = join(found, "build/dist/vnu.jar");
  const child = spawn("java", ["-jar", checker, "--format", "json", "--stdout", ...files], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = "";
  child.stdout.on("data", (chunk) => told += chunk);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(told));
  });
}
