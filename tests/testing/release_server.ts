import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gzip } from "../../tools/release/gzip.ts";
import { sha256 } from "../../tools/release/archives.ts";
import { tar } from "../../tools/release/tar.ts";

/** What is at an address of the server instead of a file. */
export interface Oddity {
  /** Says that there is more than comes, and hangs up. */
  readonly cutAt?: number;
  readonly redirect?: string;
  readonly content?: Uint8Array;
  /** Called in place of an answer, which never comes. */
  readonly onAsked?: () => void;
}

/** Releases on loopback, at the addresses that GitHub has for them. */
export interface ReleaseServer extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<string, Uint8Array | Oddity>;
  /** The paths that were asked for. */
  readonly requests: string[];
  /** Puts a release there, as the latest too. */
  publish(release: PublishedRelease): void;
}

export interface PublishedRelease {
  readonly version?: string;
  readonly triple?: string;
  /** In place of an archive with `program`. */
  readonly archive?: Uint8Array;
  readonly program?: string;
  /** In place of SHA256SUMS as it should be. */
  readonly sums?: (right: string) => string;
}

export const TRIPLE = "x86_64-unknown-linux-gnu";

/** A shell script that is called codex-login. */
export function fakeProgram(version = "1.2.3", more = ""): string {
  return `#!/bin/sh\n${more}\nif [ "$1" = --version ]; then echo "codex-login ${version}"; fi\n`;
}

export function packProgram(program: string): Uint8Array {
  const entry = { name: "codex-login", mode: 0o755, content: Buffer.from(program) };
  return gzip(tar([entry], new Date("2026-01-02T03:04:05Z")));
}

export async function startReleaseServer(
  tls?: { readonly key: string; readonly cert: string },
): Promise<ReleaseServer> {
  const files: ReleaseServer["files"] = new Map();
  const requests: string[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? "";
    requests.push(path);
    const found = files.get(path);
    if (!found) {
      response.writeHead(404).end("Not Found");
    } else if (found instanceof Uint8Array) {
      response.writeHead(200, { "content-length": found.length }).end(found);
    } else if (found.onAsked) {
      found.onAsked();
    } else if (found.redirect !== undefined) {
      response.writeHead(302, { location: found.redirect }).end();
    } else {
      const { content = new Uint8Array(), cutAt = 0 } = found;
      response.writeHead(200, { "content-length": content.length });
      response.write(content.slice(0, cutAt), () => response.destroy());
    }
  };
  const server: Server = tls
    ? createTlsServer(tls, onRequest) as unknown as Server
    : createServer(onRequest);
  // Who will not have our certificate says so to the server too.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    files,
    requests,
    publish(
      { version = "1.2.3", triple = TRIPLE, program, archive, sums = (right) => right },
    ): void {
      const packed = archive ?? packProgram(program ?? fakeProgram(version));
      const file = `codex-login-${version}-${triple}.tar.gz`;
      const right = [
        `${sha256(Buffer.from("extras"))}  codex-login-${version}-extras.tar.gz\n`,
        `${sha256(packed)}  ${file}\n`,
        `${sha256(Buffer.from("zip"))}  codex-login-${version}-x86_64-pc-windows-msvc.zip\n`,
      ].join("");
      const content = Buffer.from(sums(right));
      files.set("/latest/download/SHA256SUMS", content);
      files.set(`/download/v${version}/SHA256SUMS`, content);
      files.set(`/download/v${version}/${file}`, packed);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
