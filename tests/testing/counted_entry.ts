/** What the executable under strace is built from: the program, with random numbers that count. */
import "./counted_random.mjs";
import { bunRuntime } from "../../src/runtime/bun.ts";

// A process that forbids to be looked into shows strace no path, unless root runs it.
Object.assign(bunRuntime, { protectMemory: () => Promise.resolve() });
await import("../../src/main.ts");
