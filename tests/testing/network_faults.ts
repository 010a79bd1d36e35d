import { spawn } from "node:child_process";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const vectors = new URL("../vectors/tls/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, vectors), "utf8");

/** The CA of the certificates here; nothing else trusts it. */
export const FAULTS_CA = fileURLToPath(new URL("faults_ca.pem", vectors));

/** The CA of the certificate "registry", which is for registry.npmjs.org. */
export const REGISTRY_CA = fileURLToPath(new URL("registry_ca.pem", vectors));

export type Certificate =
  | "expired"
  | "early"
  | "other"
  | "issuer"
  | "selfsigned"
  | "localhost"
  | "registry";

/** Writes an answer to the first bytes of a connection. */
export type Answer = (socket: Socket, request: string) => void;

/** A HEAD only asks whether somebody is there. */
export function answer(
  status: string,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): Answer {
  return (socket, request) => {
    const text = request.startsWith("HEAD ") ? "" : body;
    const lines = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(text)) })
      .map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.end(`HTTP/1.1 ${status}\r\n${lines}\r\n${text}`);
  };
}

/** A port that nobody listens on, and that the system gives to nobody who asks for any. */
export const CLOSED_PORT = 1;

/** Servers that go wrong in one way each, until they are disposed of. */
export class FaultyNetwork implements AsyncDisposable {
  readonly #closers: (() => void)[] = [];

  /** A server on 127.0.0.1; resolves with its port. */
  async listen(onAnswer: Answer): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", (bytes) => onAnswer(socket, bytes.toString("latin1")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closers.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return (server.address() as AddressInfo).port;
  }

  /** The same with TLS. */
  async listenTls(certificate: Certificate, onAnswer: Answer): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createTlsServer(
      { key: read("localhost.key"), cert: read(`${certificate}.pem`) },
      (socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.once("data", (bytes) => onAnswer(socket, bytes.toString("latin1")));
      },
    );
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closers.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return (server.address() as AddressInfo).port;
  }

  /** A proxy that leads every tunnel to this port, and tells which requests it was sent. */
  async listenAsProxy(port: number, seen: string[] = []): Promise<number> {
    return await this.listen((socket, request) => {
      seen.push(request);
      const onward = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      onward.on("error", () => socket.destroy());
      socket.once("close", () => onward.destroy());
    });
  }

  /** A port where a program listens and never takes a connection, so that Linux drops what knocks. */
  async droppedPort(): Promise<number> {
    const child = spawn("perl", [
      "-MSocket",
      "-e",
      '$|=1;socket(S,PF_INET,SOCK_STREAM,0);bind(S,sockaddr_in(0,inet_aton("127.0.0.1")));' +
      "listen(S,0);print((sockaddr_in(getsockname(S)))[0],qq(\\n));sleep 300",
    ], { stdio: ["ignore", "pipe", "ignore"] });
    this.#closers.push(() => void child.kill("SIGKILL"));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.stdout.once("data", (bytes: Uint8Array) => resolve(Number(String(bytes))));
    });
    // The queue takes one connection more than it is told to.
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      this.#closers.push(() => void socket.destroy());
    }
    return port;
  }

  /** A name server on port 53 that knows no name, or says nothing at all. */
  async listenForNames(address: string, says: "nothing" | "no such name"): Promise<void> {
    const socket = createSocket("udp4");
    socket.on("message", (question, { address: from, port }) => {
      if (says === "nothing") return;
      const reply = Uint8Array.from(question);
      // An answer, recursion available, NXDOMAIN; the question only (RFC 1035, 4.1.1).
      reply.set([0x81, 0x83], 2);
      reply.set([0, 0, 0, 0, 0, 0], 6);
      const end = question.indexOf(0, 12) + 5;
      socket.send(reply.subarray(0, end), port, from);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(53, address, () => resolve());
    });
    this.#closers.push(() => void socket.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) close();
    return Promise.resolve();
  }
}
