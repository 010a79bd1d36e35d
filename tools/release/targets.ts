/** What a release has an executable for. */
export interface Target {
  /** Its folder in `dist/targets/`. */
  readonly name: string;
  /** As compilers call it; archives carry it in their names. */
  readonly triple: string;
  readonly format: "elf" | "macho" | "pe";
  /** The name of its executable. */
  readonly executable: string;
}

/** All of them, in the order of the documents. */
export const TARGETS: readonly Target[] = [
  elf("linux-x64", "x86_64-unknown-linux-gnu"),
  elf("linux-x64-musl", "x86_64-unknown-linux-musl"),
  elf("linux-arm64", "aarch64-unknown-linux-gnu"),
  elf("linux-arm64-musl", "aarch64-unknown-linux-musl"),
  macho("darwin-arm64", "aarch64-apple-darwin"),
  macho("darwin-x64", "x86_64-apple-darwin"),
  pe("windows-x64", "x86_64-pc-windows-msvc"),
  pe("windows-arm64", "aarch64-pc-windows-msvc"),
];

function elf(name: string, triple: string): Target {
  return { name, triple, format: "elf", executable: "codex-login" };
}

function macho(name: string, triple: string): Target {
  return { name, triple, format: "macho", executable: "codex-login" };
}

function pe(name: string, triple: string): Target {
  return { name, triple, format: "pe", executable: "codex-login.exe" };
}
