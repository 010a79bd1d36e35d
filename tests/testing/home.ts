import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A CODEX_HOME of its own, removed afterwards. */
export interface TestHome extends AsyncDisposable {
  readonly path: string;
  readonly authPath: string;
  writeAuth(content: unknown): Promise<void>;
  readAuth(): Promise<string>;
  authJson(): Promise<Record<string, unknown>>;
  mode(name: string): Promise<string>;
  /** Names in it, those of folders included. */
  list(): Promise<string[]>;
  /** All text in all files but auth.json, to look for secrets in. */
  textOutsideAuth(): Promise<string>;
}

export async function createHome(): Promise<TestHome> {
  const path = await mkdtemp(join(tmpdir(), "codex-login-test-"));
  const authPath = join(path, "auth.json");
  return {
    path,
    authPath,
    async writeAuth(content): Promise<void> {
      const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
      await writeFile(authPath, text, { mode: 0o600 });
    },
    readAuth: () => readFile(authPath, "utf8"),
    authJson: async () => JSON.parse(await readFile(authPath, "utf8")),
    mode: async (name) => ((await stat(join(path, name))).mode & 0o777).toString(8),
    list: () => readdir(path),
    async textOutsideAuth(): Promise<string> {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && entry.name !== "auth.json");
      const texts = files.map((file) => readFile(join(file.parentPath, file.name), "utf8"));
      return (await Promise.all(texts)).join("\n");
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (process.platform !== "win32") await chmod(path, 0o700);
      await rm(path, { recursive: true, force: true });
    },
  };
}
