import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { hasLoginRecord } from "./login_record.ts";
import { printable } from "./printable.ts";
import { readTcpSockets } from "./proc_net.ts";
import type { World } from "./world.ts";

/** Who listens on a port, found out without sending it anything. */
export interface PortHolder {
  /** Only a login of ours, or of the reference, of the same user, may be asked to give way. */
  readonly isLogin: boolean;
  /** For people, cleaned: `python3 (process 4711)`. */
  readonly name: string;
}

const UNKNOWN: PortHolder = { isLogin: false, name: "an unknown program" };

export async function findPortHolder(
  world: Pick<World, "env" | "runtime" | "platform">,
  port: number,
): Promise<PortHolder> {
  if (await hasLoginRecord(world, port)) return { isLogin: true, name: "another codex-login" };
  if (world.platform === "linux") return await findByProc(port);
  if (world.platform === "win32") return UNKNOWN;
  return await findByLsof(port);
}

async function findByProc(port: number): Promise<PortHolder> {
  const listeners = (await readTcpSockets()).filter((socket) =>
    socket.isListening && socket.localPort === port
  );
  const own = listeners.find((socket) => socket.uid === process.getuid?.());
  if (!own) {
    const [other] = listeners;
    return other ? { isLogin: false, name: `a program of user ${other.uid}` } : UNKNOWN;
  }
  const pid = await findProcess(`socket:[${own.inode}]`);
  if (pid === undefined) return { isLogin: false, name: "a program of yours" };
  const name = await processName(pid);
  return { isLogin: isReference(name), name: `${printable(name, 40)} (process ${pid})` };
}

async function findProcess(socket: string): Promise<string | undefined> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    for (const descriptor of await readdir(folder).catch(() => [])) {
      if (await readlink(`${folder}/${descriptor}`).catch(() => "") === socket) return pid;
    }
  }
  return undefined;
}

async function processName(pid: string): Promise<string> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  if (executable) return basename(executable.replace(/ \(deleted\)$/, ""));
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "unknown")).trim();
}

/** The reference's own program, under its plain name or that of a release file. */
function isReference(name: string): boolean {
  return /^codex(-(x86_64|aarch64)-[\w-]+)?$/.test(name);
}

function findByLsof(port: number): Promise<PortHolder> {
  return new Promise((resolve) => {
    const parameters = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpcu"];
    execFile("lsof", parameters, { timeout: 2_000 }, (_, stdout) => {
      const field = (letter: string): string | undefined =>
        stdout.split("\n").find((line) => line.startsWith(letter))?.slice(1);
      const name = field("c");
      if (!name) return resolve(UNKNOWN);
      const isOwn = field("u") === String(process.getuid?.());
      resolve({
        isLogin: isOwn && isReference(name),
        name: `${printable(name, 40)} (process ${field("p")})`,
      });
    });
  });
}
