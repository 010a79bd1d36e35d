import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Where the measurements keep their files: homes, programs, certificates. All of it goes at the end. */
export interface Place extends Disposable {
  readonly folder: string;
  /** A new CODEX_HOME, with this auth.json in it. */
  home(auth?: unknown): string;
  file(name: string, content: string): string;
  /** What a program is started with: nothing of the person who measures. */
  environment(home: string, more?: Readonly<Record<string, string>>): Record<string, string>;
  /** An empty folder to be started in. */
  readonly cwd: string;
}

export function createPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "codex-login-bench-"));
  // The reference leaves some of its work undone where its home is under TMPDIR.
  const temporary = join(folder, "tmp");
  const cwd = join(folder, "cwd");
  const homes = join(folder, "homes");
  for (const one of [temporary, cwd, homes]) mkdirSync(one);
  let count = 0;
  const kept = Object.fromEntries(
    ["PATH", "LANG"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  return {
    folder,
    cwd,
    home(auth): string {
      const home = join(homes, String(count++));
      mkdirSync(home);
      if (auth !== undefined) {
        const text = typeof auth === "string" ? auth : JSON.stringify(auth, null, 2);
        writeFileSync(join(home, "auth.json"), text, { mode: 0o600 });
      }
      return home;
    },
    file(name, content): string {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    },
    environment: (home, more = {}) => ({
      ...kept,
      HOME: home,
      CODEX_HOME: home,
      TMPDIR: temporary,
      XDG_RUNTIME_DIR: home,
      BROWSER: "/bin/true",
      DENO_DIR: process.env["DENO_DIR"] ?? join(homedir(), ".cache", "deno"),
      DENO_NO_UPDATE_CHECK: "1",
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(temporary, "bun"),
      // Whatever is asked of the world outside ends at a port where nobody listens.
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1,localhost",
      ...more,
    }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
