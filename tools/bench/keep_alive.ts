import { connect, type Socket } from "node:net";

/** Connections that each ask again as soon as they are answered. */
export interface Flood {
  /** Answers so far, by status. */
  readonly answers: Map<number, number>;
  /** Connections that were cut and made again. */
  readonly cut: () => number;
  stop(): void;
}

/** Before the next connection when one was cut unanswered, in ms: a server that is gone is not asked without a pause. */
const PAUSE_MS = 5;

export function startFlood(target: string, connections: number): Flood {
  const { hostname, port, pathname, search, host } = new URL(target);
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const answers = new Map<number, number>();
  const sockets = new Set<Socket>();
  let isOver = false;
  let cut = 0;

  function open(): void {
    if (isOver) return;
    let received = "";
    let isAnswered = false;
    const socket = connect(Number(port), hostname, () => socket.write(request));
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let end = endOfAnswer(received); end > 0; end = endOfAnswer(received)) {
        const status = Number(received.slice(9, 12));
        answers.set(status, (answers.get(status) ?? 0) + 1);
        received = received.slice(end);
        isAnswered = true;
        if (!isOver) socket.write(request);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      if (isOver) return;
      cut++;
      if (isAnswered) open();
      else setTimeout(open, PAUSE_MS);
    });
  }
  for (let i = 0; i < connections; i++) open();
  return {
    answers,
    cut: () => cut,
    stop(): void {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Where the first answer ends, or 0 when not all of it is there. */
export function endOfAnswer(received: string): number {
  const head = received.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  const [, length = "0"] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, head)) ?? [];
  const end = head + 4 + Number(length);
  return received.length < end ? 0 : end;
}
