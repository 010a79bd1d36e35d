import { MAX_PASTED_LENGTH } from "./oauth/pasted_response.ts";
import type { Paste } from "./paste.ts";
import type { World } from "./world.ts";

/** Of no use, after which nobody means an address any more. */
const MAX_REFUSALS = 40;

/**
 * Takes the redirect address from stdin, where a program or a pipe stands in for a person, line by line.
 *
 * @param tell told why a line is of no use, the next one may be; and that nothing more is read.
 */
export async function followPastes(
  { followStdin }: Pick<World, "followStdin">,
  paste: Paste,
  tell: (note: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const utf8 = new TextDecoder();
  const done = new AbortController();
  let rest = "";
  let refusals = 0;
  let turn: Promise<void> = Promise.resolve();

  function end(note?: string): void {
    if (done.signal.aborted) return;
    done.abort();
    if (note !== undefined && !signal.aborted) tell(note);
  }

  async function offer(line: string): Promise<void> {
    if (done.signal.aborted || line.trim() === "") return;
    const outcome = await paste(line);
    if (outcome.isTaken) return end();
    tell(outcome.why);
    if (++refusals >= MAX_REFUSALS) end("stdin has no address for us; it is not read any more.");
  }

  function onBytes(bytes: Uint8Array): void {
    if (done.signal.aborted) return;
    const lines = (rest + utf8.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) turn = turn.then(() => offer(line));
    if (rest.length <= MAX_PASTED_LENGTH) return;
    end("What comes on stdin is too long to be an address; it is not read any more.");
  }

  await followStdin(onBytes, AbortSignal.any([signal, done.signal]));
  turn = turn.then(() => offer(rest));
  await turn;
  end("stdin has ended; the browser can still bring the answer.");
}
