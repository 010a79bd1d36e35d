import { readdirSync, readFileSync } from "node:fs";

/** Of a process that is still there, and of those that it started. */
export interface Memory {
  /** All that is in memory, in MB. */
  readonly resident: number;
  /** What is its own and comes from no file, in MB. */
  readonly anonymous: number;
  readonly peak: number;
}

export function memoryOf(pid: number): Memory {
  const all = family(pid).map((one) => readStatus(one));
  const sum = (name: string): number =>
    all.reduce((total, status) => total + (status.get(name) ?? 0), 0) * 1024 / 1e6;
  return { resident: sum("VmRSS"), anonymous: sum("RssAnon"), peak: sum("VmHWM") };
}

/** CPU time of all threads that it has now, in ms. Threads that have ended are not in it. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0;
  for (const one of family(pid)) {
    for (const thread of readdirSync(`/proc/${one}/task`)) {
      const [ran = "0"] = readText(`/proc/${one}/task/${thread}/schedstat`).split(" ");
      nanoseconds += Number(ran);
    }
  }
  return nanoseconds / 1e6;
}

function family(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean);
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

function readStatus(pid: number): Map<string, number> {
  const rows = readText(`/proc/${pid}/status`).matchAll(/^(\w+):\s+(\d+) kB$/gm);
  return new Map([...rows].map(([, name = "", kilobytes]) => [name, Number(kilobytes)]));
}

/** A process may be gone before it is read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
