import { write } from "node:fs";

const STDOUT = 1;

/** By descriptor: the system's thread waits for the reader, and not ours. */
export function writeStdout(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(
      STDOUT,
      bytes,
      0,
      bytes.length,
      null,
      (thrown, length) => thrown ? reject(thrown) : resolve(length),
    );
  });
}
