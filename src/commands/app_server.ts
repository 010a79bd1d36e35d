import { createAppServer } from "../app_server.ts";
import { LoginError } from "../errors.ts";
import { createMemoryStore } from "../host_store.ts";
import { createLineOutput } from "../line_output.ts";
import { createLineSplitter } from "../line_splitter.ts";
import { printable } from "../printable.ts";
import type { World } from "../world.ts";
import type { CommandContext } from "./command.ts";

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
  const { options, say } = context;
  const ending = new AbortController();
  const signal = AbortSignal.any([context.world.signal, ending.signal]);
  const world: World = { ...context.world, signal, saved: () => {} };
  // It lives as long as this process does.
  const config = context.config.store === "ephemeral"
    ? { ...context.config, store: createMemoryStore() }
    : context.config;
  const note = (message: string): void => say(printable(message));
  for (const message of config.notes) note(message);
  await world.runtime.protectMemory();

  const output = createLineOutput(world, (thrown) => ending.abort(thrown));
  const server = createAppServer(world, { ...config, notes: [] }, {
    send: output.send,
    note,
    isStrict: options.flag("strict-reference"),
  });
  const take = createLineSplitter(MAX_LINE_BYTES, server.receive);
  async function catchUp(): Promise<void> {
    while (server.unanswered() > MAX_UNANSWERED) await server.nextAnswer();
    if (output.pendingLength() > MAX_UNREAD) await output.drained();
  }
  await world.followStdin((bytes) => {
    take(bytes);
    const isBehind = server.unanswered() > MAX_UNANSWERED || output.pendingLength() > MAX_UNREAD;
    return isBehind ? catchUp() : undefined;
  }, signal);
  signal.throwIfAborted();
  take();

  async function answerAll(): Promise<void> {
    while (server.unanswered() > 0) await server.nextAnswer();
  }
  await Promise.race([answerAll(), context.world.sleep(LAST_ANSWERS_MS)]);
  ending.abort(new LoginError("CANCELED", "The sign-in was cancelled", { reason: "stdin ended" }));
  await server.idle();
  await Promise.race([output.drained(), context.world.sleep(LAST_LINES_MS)]);
  context.world.signal.throwIfAborted();
  return 0;
}
