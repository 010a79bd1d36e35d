import { spawnSync } from "node:child_process";

/** The commit that is checked out and its time; the earliest time that a zip can tell, outside a repository. */
export function readCommit(): { readonly commit: string | null; readonly modified: Date } {
  const { status, stdout } = spawnSync("git", ["log", "-1", "--format=%H %ct"], {
    encoding: "utf8",
  });
  const [commit, seconds] = status === 0 ? stdout.trim().split(" ") : [];
  if (!commit || !seconds) return { commit: null, modified: new Date("1980-01-01T00:00:00Z") };
  return { commit, modified: new Date(Number(seconds) * 1000) };
}
