import { type AddressInfo, createServer, type Socket } from "node:net";

/** A program that holds a port and writes down every byte it is sent. */
export interface Occupant extends AsyncDisposable {
  readonly received: string[];
  readonly connections: number;
  readonly port: number;
}

export async function occupy(port: number, host = "127.0.0.1"): Promise<Occupant> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => received.push(bytes.toString("latin1")));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    received,
    port: actual,
    get connections(): number {
      return sockets.size;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
