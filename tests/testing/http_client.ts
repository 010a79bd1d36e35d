import { request } from "node:http";
import { connect } from "node:net";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface GetOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** One request as it is: no redirect followed, no proxy asked. */
export function get(
  url: string,
  { method = "GET", headers = {}, body }: GetOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const outgoing = request(
      url,
      { method, headers: { ...headers, ...length }, agent: false },
      (incoming) => {
        const chunks: Uint8Array[] = [];
        incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** As `sendRaw()`, each piece in a packet of its own. */
export function sendPieces(
  port: number,
  pieces: readonly string[],
  quietMs = 400,
): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        await new Promise((sent) => socket.write(piece, "latin1", sent));
      }
    });
    socket.setNoDelay(true);
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on("data", (chunk) => received += chunk.toString("latin1"));
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}

/** The status and headers of an answer as it was received. */
export function readHead(received: string): Pick<Reply, "status" | "headers"> {
  const [line = "", ...rows] = received.split("\r\n\r\n")[0]?.split("\r\n") ?? [];
  const headers = rows.map((row) => {
    const at = row.indexOf(":");
    return [row.slice(0, at).toLowerCase(), row.slice(at + 1).trim()];
  });
  return { status: Number(line.split(" ")[1]), headers: Object.fromEntries(headers) };
}

export interface Patience {
  /** Milliseconds for an answer to begin; longer where one has to come. */
  readonly answerMs?: number;
  /** Milliseconds of silence after which an answer is taken to be over. */
  readonly quietMs?: number;
}

/** Enough for an answer that has to come, however busy the machine is. */
export const ANSWERS = { answerMs: 20_000 } as const;

/** Sends bytes as they are and gives what came back until the other side closed, or was silent. */
export function sendRaw(
  port: number,
  bytes: string,
  { quietMs = 400, answerMs = quietMs }: Patience = {},
): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.setTimeout(answerMs, () => socket.destroy());
    socket.once("data", () => socket.setTimeout(quietMs));
    socket.on("data", (chunk) => received += chunk.toString("latin1"));
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}

export function location({ headers }: Reply): string {
  const value = headers["location"];
  return typeof value === "string" ? value : "";
}
