import { loadRuntime } from "./runtime/runtime.ts";
import { VERSION } from "./version.ts";

const args = process.argv.slice(2);
const isAboutVersion = args.length === 1 && args[0] === "--version";
// What scripts ask most is answered before anything else is loaded; whatever is in the way is for the program to tell.
if (!isAboutVersion || !await tellVersion()) await (await import("./program.ts")).runProgram(args);

async function tellVersion(): Promise<boolean> {
  const { hazard, writeLast } = await loadRuntime();
  if (!writeLast || hazard(process.env)) return false;
  const line = new TextEncoder().encode(`codex-login ${VERSION}\n`);
  return await writeLast("stdout", line).then(() => true, () => false);
}
