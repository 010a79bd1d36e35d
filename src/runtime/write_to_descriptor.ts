import { write, writeSync } from "node:fs";
import type { OutputStream } from "./runtime.ts";

export const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

/** In a thread of the system's, which waits for the reader. */
export function writeToDescriptor(stream: OutputStream, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(
      DESCRIPTORS[stream],
      bytes,
      0,
      bytes.length,
      null,
      (thrown, length) => thrown ? reject(thrown) : resolve(length),
    );
  });
}

export function writeNowToDescriptor(stream: OutputStream, bytes: Uint8Array): number {
  return writeSync(DESCRIPTORS[stream], bytes);
}
