import { createRequire } from "node:module";

/**
 * Bun's program from its platform package. Its own `bin` is put in place by an install script, and install scripts are
 * off here.
 */
export function bunPath(): string {
  const require = createRequire(import.meta.url);
  const arch = process.arch === "arm64" ? "aarch64" : "x64";
  const system = process.platform === "win32" ? "windows" : process.platform;
  const names = ["", "-musl", "-baseline", "-musl-baseline"].map((suffix) =>
    `${system}-${arch}${suffix}`
  );
  for (const name of names) {
    try {
      return require.resolve(`@oven/bun-${name}/bin/bun${system === "windows" ? ".exe" : ""}`);
    } catch {
      // Not installed for this machine: the next variant may be.
    }
  }
  throw new Error(`There is no Bun for ${system}-${arch} in node_modules: run npm ci`);
}
