import { VERSION } from "../version.ts";
import { type Check, type Examined, FILES_MS, ok } from "./check.ts";

/** Which version, of which build, runs where. */
export function programChecks({ world: { runtime, platform } }: Examined): Check[] {
  const command = runtime.helperCommand("");
  const [program = ""] = command;
  const entry = command.length > 2 ? command.at(-2) : undefined;
  const build = entry === undefined
    ? "executable"
    : entry.endsWith(".ts")
    ? `sources, ${entry}`
    : `bundle, ${entry}`;
  const { [runtime.name]: version = "unknown" } = process.versions;
  return [
    {
      id: "program.version",
      limitMs: FILES_MS,
      run: () =>
        ok(`codex-login ${VERSION} on ${runtime.name} ${version} (${platform}, ${process.arch})`),
    },
    {
      id: "program.executable",
      limitMs: FILES_MS,
      run: () => ok(`${build}, started by ${program}`),
    },
  ];
}
