import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { bunPath } from "../bun_path.ts";
import { denoPath } from "../../tests/testing/deno_path.ts";
import { REFERENCE_VERSION } from "../reference.ts";

/** Where and of what the figures are. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly isChanged: boolean;
  readonly date: string;
}

export function describeMachine(root: string): Machine {
  const git = (...parameters: string[]): string => told("git", ["-C", root, ...parameters]);
  const [first] = cpus();
  return {
    processor: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: `${process.platform} ${release()} ${process.arch}`,
    versions: {
      deno: told(denoPath(), ["--version"]).split(" ")[1] ?? "",
      bun: told(bunPath(), ["--version"]),
      node: told("node", ["--version"]).replace("v", ""),
      reference: REFERENCE_VERSION,
    },
    commit: git("rev-parse", "HEAD") || "unknown",
    isChanged: git("status", "--porcelain", "--untracked-files=no") !== "",
    date: new Date().toISOString(),
  };
}

function told(program: string, parameters: readonly string[]): string {
  const { stdout } = spawnSync(program, parameters, { encoding: "utf8" });
  return stdout?.trim() ?? "";
}
