import { createAppServer } from "../app_server.ts";
import { LoginError } from "../errors.ts";
import { createMemoryStore } from "../host_store.ts";
import { createLineOutput } from "../line_output.ts";
import { createLineSplitter } from "../line_splitter.ts";
import { createNotes } from "../server_notes.ts";
import { waitForReader } from "../slow_reader.ts";
import type { World } from "../world.ts";
import type { CommandContext, OptionValues } from "./command.ts";

/** Of one message. */
const MAX_LINE_BYTES = 1 << 20;
/** Beyond these nothing more is read until the other side has caught up. */
const MAX_UNANSWERED = 256;
const MAX_UNREAD = 4 << 20;
/** Milliseconds after the end of stdin for what was asked before it, and for the reader to take the answers. */
const LAST_ANSWERS_MS = 1_000;
const LAST_LINES_MS = 2_000;

/** The account API on stdin and stdout, until stdin ends. */
export async function runAppServer(context: CommandContext): Promise<number> {
  const { options } = context;
  refuseOtherAddresses(options);
  const ending = new AbortController();
  const signal = AbortSignal.any([context.world.signal, ending.signal]);
  const world: World = { ...context.world, signal, saved: () => {} };
  // It lives as long as this process does.
  const config = context.config.store === "ephemeral"
    ? { ...context.config, store: createMemoryStore() }
    : context.config;
  const note = options.flag("quiet") ? () => {} : createNotes(context.world);
  for (const message of config.notes) note(message);
  await world.runtime.protectMemory();

  const output = createLineOutput(world.sendData, (thrown) => ending.abort(thrown));
  const server = createAppServer(world, { ...config, notes: [] }, {
    send: output.send,
    note,
    isStrict: options.flag("strict-reference"),
  });
  const take = createLineSplitter(MAX_LINE_BYTES, server.receive);
  const isBusy = (): boolean => server.unanswered() > MAX_UNANSWERED && !server.isAsking();

  async function catchUp(): Promise<void> {
    while (isBusy() && !signal.aborted) await server.nextChange();
    await waitForReader(world, output, MAX_UNREAD).catch((thrown) => ending.abort(thrown));
  }
  async function answerAll(): Promise<void> {
    const enough = new AbortController();
    const late = context.world.sleep(LAST_ANSWERS_MS, enough.signal).then(() => true);
    while (server.unanswered() > 0) {
      if (await Promise.race([server.nextChange(), late])) break;
    }
    enough.abort();
  }

  await world.followStdin((bytes) => {
    take(bytes);
    return isBusy() || output.pendingLength() > MAX_UNREAD ? catchUp() : undefined;
  }, signal);
  if (!signal.aborted) {
    take();
    await answerAll();
    const details = { reason: "stdin ended" };
    ending.abort(new LoginError("CANCELED", "The sign-in was cancelled", details));
  }
  // What was asked is answered and what was begun is ended, whatever ended the server.
  await answerAll();
  await server.idle();
  const { sleep, signal: outer } = context.world;
  await Promise.race([output.drained(), sleep(LAST_LINES_MS, outer)]);
  outer.throwIfAborted();
  const { code } = signal.reason;
  if (code !== "CANCELED") throw signal.reason;
  return 0;
}

/** Hosts say it because the reference has other places to listen, too. */
function refuseOtherAddresses(options: OptionValues): void {
  const address = options.text("listen");
  if (address === undefined || address === "stdio://") return;
  throw new LoginError("USAGE", "The app-server listens on stdin and stdout only", {
    hint: "codex-login app-server --listen stdio://",
  });
}
