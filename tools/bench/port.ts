import { existsSync, readFileSync } from "node:fs";
import { loadLibc } from "./libc.ts";

/** Where a login listens that was not told otherwise. */
export const LOGIN_PORT = 1455;

/** Between two tries, in µs: what the figure may be wrong by. */
const PAUSE_US = 500;
const LIMIT_MS = 20_000;

/** When the port of this process takes a connection, by `performance.now()`. Nothing else happens here in the meantime. */
export async function waitForPort(port: number, pid: number): Promise<number> {
  const libc = await loadLibc();
  const deadline = performance.now() + LIMIT_MS;
  for (let tries = 1; performance.now() < deadline; tries++) {
    if (libc.tryConnect(port)) return performance.now();
    if (tries % 100 === 0 && hasEnded(pid)) throw new Error("it ended before its port answered");
    libc.pause(PAUSE_US);
  }
  throw new Error(`port ${port} did not answer`);
}

/** The next login must not find the port in use. */
export async function waitUntilFree(port: number): Promise<void> {
  const libc = await loadLibc();
  const deadline = performance.now() + LIMIT_MS;
  while (libc.tryConnect(port)) {
    if (performance.now() > deadline) throw new Error(`port ${port} is in use`);
    libc.pause(10_000);
  }
}

function hasEnded(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return !existsSync(path) || readFileSync(path, "utf8").includes(") Z ");
}
