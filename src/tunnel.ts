import type { Socket } from "node:net";
import type { HopTarget } from "./dial.ts";
import { LoginError } from "./errors.ts";
import type { Proxy } from "./proxy.ts";

const MAX_HEAD_BYTES = 16 << 10;

/**
 * Asks a proxy, over a connection to it, for a way to the target.
 *
 * @throws {LoginError} PROXY_AUTH or PROXY_REFUSED; or what the system says.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
export async function openTunnel(
  socket: Socket,
  proxy: Proxy,
  { host, port }: HopTarget,
): Promise<void> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const status = await new Promise<number>((resolve, reject) => {
    let head = "";
    const onData = (bytes: Uint8Array): void => {
      head += Buffer.from(bytes).toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0 && head.length <= MAX_HEAD_BYTES) return;
      finish();
      const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(head)?.[1] ?? 0);
      const isGood = status >= 200 && status < 300;
      // What comes with a good answer would be taken for the issuer's.
      if (end < 0 || (isGood && head.length > end + 4)) resolve(0);
      else resolve(status);
    };
    const onClose = (): void => {
      finish();
      reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    };
    const onError = (thrown: unknown): void => {
      finish();
      reject(thrown);
    };
    const finish = (): void => {
      socket.pause();
      socket.off("data", onData);
      socket.off("close", onClose);
      socket.off("end", onClose);
      socket.off("error", onError);
    };
    socket.on("data", onData);
    socket.once("close", onClose);
    socket.once("end", onClose);
    socket.on("error", onError);
    const authorization = proxy.authorization === undefined
      ? ""
      : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  });
  if (status >= 200 && status < 300) return;
  const where = `The proxy at ${proxy.host}:${proxy.port}`;
  if (status === 407) {
    const knows = proxy.authorization !== undefined;
    throw new LoginError("PROXY_AUTH", `${where} asks for a user name and password`, {
      reason: knows
        ? "those in the variable were refused (HTTP 407)"
        : "none were given (HTTP 407)",
      hint: `export ${proxy.variable}=http://USER:PASSWORD@${proxy.host}:${proxy.port}`,
      requestSent: false,
    });
  }
  throw new LoginError("PROXY_REFUSED", `${where} does not let the issuer be reached`, {
    reason: status === 0
      ? "its answer is not that of a proxy"
      : `it refused CONNECT (HTTP ${status})`,
    hint: `ask who runs the proxy to allow ${host}:${port}, or except it by NO_PROXY`,
    requestSent: false,
  });
}
