import { readlink } from "node:fs/promises";
import { basename } from "node:path";
import { findLoginRecord } from "./login_record.ts";
import { printable } from "./printable.ts";
import { findProcessesHolding, readProc, runTool } from "./proc.ts";
import { readTcpSockets } from "./proc_net.ts";
import type { World } from "./world.ts";

/** Who listens on a port, found out without sending it anything. */
export interface PortHolder {
  /** Only a login of ours, or of the reference, of the same user, may be asked to give way. */
  readonly isLogin: boolean;
  /** For people, cleaned: `python3 (process 4711)`. */
  readonly name: string;
}

/** The addresses that a listener on 127.0.0.1 or ::1 collides with, as the kernel writes them. */
const IN_THE_WAY: ReadonlySet<string> = new Set([
  "0100007F",
  "00000000",
  "00000000000000000000000001000000",
  "0".repeat(32),
]);

const UNKNOWN: PortHolder = { isLogin: false, name: "an unknown program" };

export async function findPortHolder(
  world: Pick<World, "env" | "runtime" | "platform">,
  port: number,
): Promise<PortHolder> {
  const own = await findLoginRecord(world, port);
  if (own) return { isLogin: true, name: `another codex-login (process ${printable(own, 10)})` };
  if (world.platform === "linux") return await findByProc(port);
  if (world.platform === "win32") return UNKNOWN;
  return await findByLsof(port);
}

async function findByProc(port: number): Promise<PortHolder> {
  const listeners = (await readTcpSockets()).filter((socket) =>
    socket.isListening && socket.localPort === port && IN_THE_WAY.has(socket.localAddress)
  );
  const own = listeners.find((socket) => socket.uid === process.getuid?.());
  if (!own) {
    const [other] = listeners;
    return other ? { isLogin: false, name: `a program of user ${other.uid}` } : UNKNOWN;
  }
  const [pid] = await findProcessesHolding(`socket:[${own.inode}]`);
  if (pid === undefined) return { isLogin: false, name: "a program of yours" };
  const name = await processName(pid);
  return { isLogin: isReference(name), name: `${printable(name, 40)} (process ${pid})` };
}

async function processName(pid: string): Promise<string> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  if (executable) return basename(executable.replace(/ \(deleted\)$/, ""));
  return (await readProc(`/proc/${pid}/comm`)).trim() || "unknown";
}

/** The reference's own program, under its plain name or that of a release file. */
function isReference(name: string): boolean {
  return /^codex(-(x86_64|aarch64)-[\w-]+)?$/.test(name);
}

async function findByLsof(port: number): Promise<PortHolder> {
  const told = await runTool("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpcu"]);
  const field = (letter: string): string | undefined =>
    told.split("\n").find((line) => line.startsWith(letter))?.slice(1);
  const name = field("c");
  if (!name) return UNKNOWN;
  const isOwn = field("u") === String(process.getuid?.());
  return {
    isLogin: isOwn && isReference(name),
    name: `${printable(name, 40)} (process ${printable(field("p") ?? "?", 10)})`,
  };
}
