import type { Socket } from "node:net";

/** Where a connection is to lead. */
export interface HopTarget {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Milliseconds until the next address of a name is tried beside the one before. @see https://www.rfc-editor.org/rfc/rfc8305 */
const NEXT_ADDRESS_MS = 250;
const MAX_ADDRESSES = 8;

export function targetOf({ protocol, hostname, port }: URL): HopTarget {
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  };
}

/** @throws what the system says, with its code. */
export async function resolveName(host: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * A TCP connection to the first of these addresses that takes one.
 *
 * @throws what the system says of the first that failed, with its code.
 */
export async function dial(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { connect } = await import("node:net");
  const tried = addresses.slice(0, MAX_ADDRESSES);
  return await new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let started = 0;
    let failures = 0;
    let first: unknown;
    const finish = (winner?: Socket): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      for (const socket of sockets) if (socket !== winner) socket.destroy();
    };
    const abort = (): void => {
      finish();
      reject(signal.reason);
    };
    const startNext = (): void => {
      clearTimeout(timer);
      const host = tried[started++];
      if (host === undefined) return;
      const socket = connect({ host, port });
      sockets.add(socket);
      socket.once("connect", () => {
        finish(socket);
        resolve(socket);
      });
      socket.on("error", (thrown) => {
        sockets.delete(socket);
        first ??= thrown;
        if (++failures < tried.length) return startNext();
        finish();
        reject(first);
      });
      if (started < tried.length) timer = setTimeout(startNext, NEXT_ADDRESS_MS);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    if (tried.length === 0) {
      finish();
      return reject(Object.assign(new Error("no address"), { code: "ENOTFOUND" }));
    }
    startNext();
  });
}
