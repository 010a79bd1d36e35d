/** A machine that an executable is made for. */
export interface Target {
  /** As in `--target NAME` and `dist/targets/NAME/`. */
  readonly name: string;
  /** As Rust calls it, and so the archives. */
  readonly triple: string;
  /** As Bun calls it: `bun build --compile --target=…`. */
  readonly bun: string;
  /** The package whose program becomes the executable. */
  readonly runtime: string;
  /** The package with the native code of the system's keyring. */
  readonly keyring: string;
  readonly format: "elf" | "mach-o" | "pe";
  readonly architecture: "x64" | "arm64";
  readonly executable: "codex-login" | "codex-login.exe";
}

/**
 * Bun has one program for each system on x64: it asks for SSE4.2 and takes AVX2 only where it finds it. The packages named
 * `-baseline` are other names of the same.
 */
export const TARGETS: readonly Target[] = [
  linux("x64", "gnu"),
  linux("x64", "musl"),
  linux("arm64", "gnu"),
  linux("arm64", "musl"),
  darwin("arm64"),
  darwin("x64"),
  windows("x64"),
  windows("arm64"),
];

/** Where the executable of a target is built, from the root of the project. */
export function executablePath({ name, executable }: Target): string {
  return `dist/targets/${name}/${executable}`;
}

export function findTarget(name: string): Target {
  const found = TARGETS.find((one) => one.name === name);
  if (found) return found;
  const names = TARGETS.map((one) => one.name).join(", ");
  throw new Error(`There is no target "${name}"; there are ${names}.`);
}

/** The target that runs on the machine that has this; Linux without a C library's name is glibc. */
export function targetOf(platform: string, arch: string, isMusl = false): Target {
  const system = platform === "win32" ? "windows" : platform;
  return findTarget(`${system}-${arch}${isMusl ? "-musl" : ""}`);
}

type Architecture = Target["architecture"];

function linux(arch: Architecture, library: "gnu" | "musl"): Target {
  const suffix = library === "musl" ? "-musl" : "";
  return {
    name: `linux-${arch}${suffix}`,
    triple: `${rustName(arch)}-unknown-linux-${library}`,
    bun: `bun-linux-${arch}${suffix}`,
    runtime: `@oven/bun-linux-${bunName(arch)}${suffix}`,
    keyring: `@napi-rs/keyring-linux-${arch}-${library}`,
    format: "elf",
    architecture: arch,
    executable: "codex-login",
  };
}

function darwin(arch: Architecture): Target {
  return {
    name: `darwin-${arch}`,
    triple: `${rustName(arch)}-apple-darwin`,
    bun: `bun-darwin-${arch}`,
    runtime: `@oven/bun-darwin-${bunName(arch)}`,
    keyring: `@napi-rs/keyring-darwin-${arch}`,
    format: "mach-o",
    architecture: arch,
    executable: "codex-login",
  };
}

function windows(arch: Architecture): Target {
  return {
    name: `windows-${arch}`,
    triple: `${rustName(arch)}-pc-windows-msvc`,
    bun: `bun-windows-${arch}`,
    runtime: `@oven/bun-windows-${bunName(arch)}`,
    keyring: `@napi-rs/keyring-win32-${arch}-msvc`,
    format: "pe",
    architecture: arch,
    executable: "codex-login.exe",
  };
}

function rustName(arch: Architecture): string {
  return arch === "x64" ? "x86_64" : "aarch64";
}

function bunName(arch: Architecture): string {
  return arch === "x64" ? "x64" : "aarch64";
}
