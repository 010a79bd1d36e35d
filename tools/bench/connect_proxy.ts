import { connect, createServer, type Server, type Socket } from "node:net";

/** The hosts that programs sign in at, and whose certificate the issuer has. */
export const REAL_HOSTS = ["auth.openai.com", "chatgpt.com"];

/**
 * A proxy that leads to the issuer on loopback whoever asks for one of the real hosts, and nobody anywhere else: so a program
 * without a setting for its issuer is measured in the same way as one with it.
 */
export async function startConnectProxy(port: number): Promise<{ server: Server; url: string }> {
  const server = createServer((client) => {
    client.on("error", () => {});
    let head = "";
    const read = (chunk: Uint8Array): void => {
      head += new TextDecoder("latin1").decode(chunk);
      if (!head.includes("\r\n\r\n")) return;
      client.off("data", read);
      const [, host = ""] = /^CONNECT ([^\s:]+):443 /.exec(head) ?? [];
      if (REAL_HOSTS.includes(host)) tunnel(client, port);
      else client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    client.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const own = typeof address === "object" && address ? address.port : 0;
  return { server, url: `http://127.0.0.1:${own}` };
}

function tunnel(client: Socket, port: number): void {
  const upstream = connect(port, "127.0.0.1", () => {
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    client.pipe(upstream).pipe(client);
  });
  for (const socket of [client, upstream]) socket.setNoDelay(true);
  upstream.on("error", () => client.destroy());
  client.on("close", () => upstream.destroy());
}
