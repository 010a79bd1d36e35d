/** What the executable under strace is built from: the program, with random numbers that count. */
import "./counted_random.mjs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bunRuntime } from "../../src/runtime/bun.ts";

// A process that forbids to be looked into shows strace no path, unless root runs it.
Object.assign(bunRuntime, { protectMemory: () => Promise.resolve() });
// Nobody ever writes to that FIFO: one of the threads waits in it until the program ends, and all work is the other's.
void open(join(dirname(process.execPath), "busy"));
await import("../../src/main.ts");
