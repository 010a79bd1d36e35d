import { LoginError, systemCode } from "./errors.ts";
import { loadRuntime, type OutputStream, type Runtime } from "./runtime/runtime.ts";
import { describeSystemError } from "./system_error.ts";
import { KEYRING_HELPER, type KeyringAccess, SILENT_LOG, type Stdin, type World } from "./world.ts";

/** How the process is told to end, and what it tells about that. */
export type Ending = Pick<World, "signal" | "saved" | "hold" | "interrupt">;

/**
 * The World of a real process. What a command may not need, like a way out, is loaded when it is used: each built-in module of the
 * runtime costs a start-up up to a millisecond.
 *
 * @param keyring for who must not start this program's own helper.
 */
export async function createSystemWorld(ending: Ending, keyring?: KeyringAccess): Promise<World> {
  const runtime = await loadRuntime();
  return {
    env: process.env,
    platform: process.platform,
    runtime,
    stdin: systemStdin,
    followStdin,
    isTerminal,
    openTerminal: async (options) =>
      await (await import("./system_terminal.ts")).openSystemTerminal(options),
    columns: () => process.stderr.columns || undefined,
    writeData: (line) => write(runtime, "stdout", `${line}\n`),
    sendData: (text) => send(runtime, "stdout", text),
    sendWords: (text) => send(runtime, "stderr", text),
    writeWords: (text) => write(runtime, "stderr", `${text}\n`),
    answerData: (text) => answer(runtime, "stdout", text),
    answerWords: (text) => answer(runtime, "stderr", text).catch(() => {}),
    ...routeBy(process.env),
    routeBy,
    keyring: keyring ?? lazyKeyring(runtime),
    launch: async (command) => await (await import("./launch.ts")).launch(command),
    now: Date.now,
    elapsed: () => performance.now(),
    sleep,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    log: SILENT_LOG,
    ...ending,
  };
}

function routeBy(env: World["env"]): Pick<World, "fetch" | "checkRoute"> {
  return {
    fetch: async (address, init) => {
      const { createFetch, TRANSPORT_DEFAULTS } = await import("./http.ts");
      return await createFetch({ ...TRANSPORT_DEFAULTS, env })(address, init);
    },
    checkRoute: async (address) => await (await import("./connection.ts")).checkRoute(env, address),
  };
}

function lazyKeyring(runtime: Runtime): KeyringAccess {
  let access: KeyringAccess | undefined;
  return async (steps) => {
    const { createKeyringAccess } = await import("./keyring_access.ts");
    access ??= createKeyringAccess(runtime.helperCommand(KEYRING_HELPER), process.env);
    return await access(steps);
  };
}

/** Milliseconds that a reader may leave its pipe full: nothing else can run meanwhile. */
const SLOW_READER_MS = 5_000;

const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 } as const;

async function isTerminal(stream: keyof typeof DESCRIPTORS): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(DESCRIPTORS[stream]);
}

/**
 * Writes at once and as it is: the console of Bun colours what goes to a terminal, and the stream objects cost 9 MiB. A pipe
 * whose reader is slow is waited for; one whose reader is gone has nobody to tell.
 *
 * @throws {LoginError} OUTPUT_FAILED when data for a program is lost; words for a person never stop a login.
 */
function write(runtime: Runtime, stream: OutputStream, text: string): void {
  const bytes = Buffer.from(text);
  const until = performance.now() + SLOW_READER_MS;
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += runtime.writeNow(stream, bytes.subarray(offset));
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code === "EAGAIN" && performance.now() < until) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      } else if (stream !== "stdout" || code === "EPIPE" || code === "EBADF") return;
      else throw outputFailed("stdout", thrown);
    }
  }
}

/** A pipe takes so much whole, or nothing of it. */
const WHOLE_BYTES = 4_096;

/** One whose reader is gone has nobody to tell. */
async function answer(runtime: Runtime, stream: OutputStream, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    if (runtime.writeLast && bytes.length <= WHOLE_BYTES) await runtime.writeLast(stream, bytes);
    else await sendBytes(runtime, stream, bytes);
  } catch (thrown) {
    if (!["EPIPE", "EBADF"].includes(systemCode(thrown) ?? "")) throw outputFailed(stream, thrown);
  }
}

/** Milliseconds until a full pipe is tried again, where the system does not wait for its reader itself. */
const FULL_PIPE_PAUSE_MS = 5;

async function send(runtime: Runtime, stream: OutputStream, text: string): Promise<void> {
  try {
    await sendBytes(runtime, stream, new TextEncoder().encode(text));
  } catch (thrown) {
    throw outputFailed(stream, thrown);
  }
}

async function sendBytes(
  runtime: Runtime,
  stream: OutputStream,
  bytes: Uint8Array,
): Promise<void> {
  for (let left = bytes; left.length > 0;) {
    try {
      left = left.subarray(await runtime.writeTo(stream, left));
    } catch (thrown) {
      if (systemCode(thrown) !== "EAGAIN") throw thrown;
      await sleep(FULL_PIPE_PAUSE_MS);
    }
  }
}

function outputFailed(stream: OutputStream, thrown: unknown): LoginError {
  return new LoginError("OUTPUT_FAILED", `${stream} cannot be written`, {
    reason: describeSystemError(thrown),
  });
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}

const systemStdin: Stdin = {
  read(maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { stdin } = process;
    const chunks: Uint8Array[] = [];
    let length = 0;
    return new Promise<Uint8Array>((resolve, reject) => {
      const finish = (): void => {
        stdin.pause();
        resolve(Buffer.concat(chunks));
      };
      stdin.on("data", (chunk: Uint8Array) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxBytes) finish();
      });
      stdin.once("end", finish);
      stdin.once("error", reject);
      signal.addEventListener("abort", () => {
        stdin.pause();
        reject(signal.reason);
      }, { once: true });
    });
  },
};

function followStdin(
  onBytes: (bytes: Uint8Array) => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { stdin } = process;
  return new Promise<void>((resolve) => {
    let isOver = false;
    const take = (bytes: Uint8Array): void => {
      const taking = onBytes(bytes);
      if (!taking) return;
      stdin.pause();
      const goOn = (): void => void (isOver || stdin.resume());
      taking.then(goOn, goOn);
    };
    const finish = (): void => {
      isOver = true;
      stdin.off("data", take);
      stdin.pause();
      resolve();
    };
    if (signal.aborted) return finish();
    stdin.on("data", take);
    stdin.once("end", finish);
    stdin.once("error", finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}
