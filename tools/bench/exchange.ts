import { connect, type Socket } from "node:net";

/** The head of an answer. */
export interface Head {
  readonly status: number;
  readonly location: string | undefined;
}

/** One request over a connection of its own, until the head of its answer is there; then the connection is cut. */
export function requestHead(target: string): Promise<Head> {
  const { hostname, port, pathname, search, host } = new URL(target);
  return new Promise((resolve, reject) => {
    let received = "";
    const socket: Socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    });
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      socket.destroy();
      resolve({
        status: Number(received.split(" ", 2)[1]),
        location: /^location: *(\S+)/im.exec(received)?.[1],
      });
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection ended before an answer")));
  });
}
