import { readProc } from "./proc.ts";

/** A TCP socket as Linux lists it; addresses stay in the kernel's own hexadecimal. */
export interface TcpSocket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly isListening: boolean;
  readonly isEstablished: boolean;
  readonly uid: number;
  readonly inode: string;
}

const STATE_ESTABLISHED = "01";
const STATE_LISTEN = "0A";

/** All TCP sockets of this network namespace; empty where there is no /proc. */
export async function readTcpSockets(folder = "/proc/net"): Promise<TcpSocket[]> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readProc(`${folder}/${name}`)));
  return tables.flatMap((table) => table.split("\n").slice(1)).flatMap(parseRow);
}

function parseRow(row: string): TcpSocket[] {
  const [, local = "", remote = "", state, , , , uid, , inode = ""] = row.trim().split(/\s+/);
  const [localAddress = "", localPort = ""] = local.split(":");
  const [remoteAddress = "", remotePort = ""] = remote.split(":");
  if (!localPort || !remotePort) return [];
  return [{
    localAddress,
    localPort: Number.parseInt(localPort, 16),
    remoteAddress,
    remotePort: Number.parseInt(remotePort, 16),
    isListening: state === STATE_LISTEN,
    isEstablished: state === STATE_ESTABLISHED,
    uid: Number(uid),
    inode,
  }];
}

/** An address as the kernel writes it on a little-endian machine: `127.0.0.1` is `0100007F`. */
export function kernelAddress(address: string): string | undefined {
  if (address === "::1") return "00000000000000000000000001000000";
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reverse().map((part) => part.toString(16).padStart(2, "0")).join("").toUpperCase();
}
