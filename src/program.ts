import { runCli } from "./cli.ts";
import type { ErrorCode } from "./error_kinds.ts";
import { LoginError, toLoginError } from "./errors.ts";
import { watchNpxShell } from "./npx_shell.ts";
import { createSystemWorld } from "./system_world.ts";
import { KEYRING_HELPER } from "./world.ts";

const SIGNALS: ReadonlyArray<readonly [NodeJS.Signals, ErrorCode]> = [
  ["SIGHUP", "HANGUP"],
  ["SIGINT", "INTERRUPTED"],
  ["SIGTERM", "TERMINATED"],
];

// A runtime that obeys it fails at every request, to loopback too, when the address in HTTP_PROXY is none; proxies are our choice.
delete process.env["NODE_USE_ENV_PROXY"];

/** Milliseconds in which signals are one: a terminal's own, and what a shell or an npm in between hands on. */
const SAME_MS = 100;

const ending = new AbortController();
let toldAt: number | undefined;
let isSaved = false;
const held = new Set<Promise<unknown>>();
for (const [signal, code] of SIGNALS) {
  process.on(signal, () => tellToEnd(new LoginError(code, `Cancelled by ${signal}`)));
}
watchNpxShell(process.env, () => tellToEnd(new LoginError("TERMINATED", "Cancelled with npx")));

/** Whoever asks twice means at once; but what must not be cut in two is waited for, which is said. */
function tellToEnd(error: LoginError): void {
  if (toldAt !== undefined) {
    const isSame = performance.now() - toldAt < SAME_MS;
    if (!isSame && held.size === 0) process.exit(isSaved ? 0 : error.exitCode);
    return;
  }
  toldAt = performance.now();
  ending.abort(error);
  // The command may not look at its signal for a while; a host that does not read stderr must not stop it.
  if (held.size > 0) {
    world.sendWords("The login is being renewed; this ends with it.\n").catch(() => {});
  }
}

// What was thrown may hold a secret: its class is told, its text and stack are not.
process.on("uncaughtException", endWithBug);
process.on("unhandledRejection", endWithBug);

function endWithBug(thrown: unknown): void {
  const error = toLoginError(thrown);
  // deno-lint-ignore no-console -- the World may be what failed
  console.error(
    `error[${error.code}]: ${error.message}${error.reason ? ` (${error.reason})` : ""}`,
  );
  process.exit(error.exitCode);
}

function hold<T>(work: () => Promise<T>): Promise<T> {
  const working = work();
  held.add(working);
  return working.finally(() => held.delete(working));
}

const world = await createSystemWorld({
  signal: ending.signal,
  saved: () => void (isSaved = true),
  hold,
  interrupt: () => tellToEnd(new LoginError("INTERRUPTED", "Cancelled at the keyboard")),
});

/** Runs a command line as this process, and ends it. */
export async function runProgram(args: readonly string[]): Promise<never> {
  const exitCode = args[0] === KEYRING_HELPER
    ? await (await import("./keyring_helper.ts")).serveKeyring(world)
    : await runCli(args, world);
  // Whoever asked for it may be gone by now; what must not be cut in two goes on.
  await Promise.allSettled(held);
  process.exit(exitOf(exitCode));
}

/** A renewal that failed after it was told to end, ended so. */
function exitOf(code: number): number {
  const isUnreachable = code === 5 && ending.signal.aborted;
  return isUnreachable ? toLoginError(ending.signal.reason).exitCode : code;
}
