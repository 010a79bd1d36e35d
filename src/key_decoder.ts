/** What a person did at the terminal. */
export type TerminalInput =
  | { readonly type: "key"; readonly key: string }
  /** Typed or pasted text, which may be a secret and is never shown. */
  | { readonly type: "text"; readonly text: string };

export interface KeyDecoder {
  /** What this read of the terminal brought to an end. */
  feed(bytes: Uint8Array): TerminalInput[];
  /** What is complete because nothing followed it for a while. */
  settle(): TerminalInput[];
  /** Whether something waits for settle(). */
  readonly isWaiting: boolean;
  /** Characters of a text that has no end yet. */
  readonly pendingLength: number;
}

/** Keys that a person can press; everything else alone begins a text. */
const CONTROL: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\x03": "ctrl-c",
  "\x1a": "ctrl-z",
};
const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";
// deno-lint-ignore no-control-regex -- an escape sequence begins with one
const SEQUENCE = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/;
const MAX_LENGTH = 65_536;
/** No key sends a longer sequence; what goes on and on is waited for no more. */
const MAX_SEQUENCE = 64;
// deno-lint-ignore no-control-regex -- backspace, as terminals send it
const ERASE = /[\x7f\x08]/;

function lengthOfLast(text: string): number {
  return (text.codePointAt(text.length - 2) ?? 0) > 0xffff ? 2 : 1;
}

/**
 * Tells keys from text. A read of exactly one byte, while no text is pending, is a key; anything longer is a paste. Terminals
 * that mark pastes do so with ESC [200~ and ESC [201~. What is pasted without marks ends with Enter, when nothing follows it.
 *
 * @param keys single letters that count as keys.
 */
export function createKeyDecoder(keys: ReadonlySet<string>): KeyDecoder {
  const utf8 = new TextDecoder();
  /** Bytes of an escape sequence that is not complete. */
  let escape = "";
  let text = "";
  let isMarked = false;

  function endText(): TerminalInput[] {
    const ended = text;
    text = "";
    return ended.trim() === "" ? [] : [{ type: "text", text: ended }];
  }

  function append(part: string): void {
    const isEnded = /[\r\n]$/.test(part);
    const kept = corrected(part);
    text = text + kept;
    if (text.length > MAX_LENGTH) text = text.slice(0, MAX_LENGTH - 1) + (isEnded ? "\r" : "");
  }

  /** Whoever types corrects mistakes. What was there before is touched only where they reach back to it: it can be long. */
  function corrected(part: string): string {
    if (!ERASE.test(part)) return part;
    const kept: string[] = [];
    for (const character of part) {
      if (!ERASE.test(character)) kept.push(character);
      else if (kept.pop() === undefined) text = text.slice(0, -lengthOfLast(text));
    }
    return kept.join("");
  }

  /** Text that nothing marks. Whoever presses Ctrl-C in the middle of it means it all the more. */
  function takeText(part: string): TerminalInput[] {
    if (!part.includes("\x03")) append(part);
    else text = "";
    return part.includes("\x03") ? [{ type: "key", key: "ctrl-c" }] : [];
  }

  function takeMarked(input: string): { rest: string; events: TerminalInput[] } {
    const joined = text + input;
    const end = joined.indexOf(PASTE_END);
    if (end < 0) {
      // The end of it may be the beginning of the mark.
      const tail = joined.slice(-(PASTE_END.length - 1));
      text = joined.length > MAX_LENGTH ? joined.slice(0, MAX_LENGTH - tail.length) + tail : joined;
      return { rest: "", events: [] };
    }
    text = joined.slice(0, end);
    isMarked = false;
    return { rest: joined.slice(end + PASTE_END.length), events: endText() };
  }

  function takeEscape(input: string): { rest: string; events: TerminalInput[] } {
    const sequence = SEQUENCE.exec(input)?.[0];
    const nothing: TerminalInput[] = [];
    if (sequence === undefined) {
      // What is no letter begins something of its own.
      if (/^.[^ -~]/.test(input)) return { rest: input.slice(1), events: pressEscape() };
      // ESC and a letter at once is Alt with it: no key of ours.
      // deno-lint-ignore no-control-regex -- the beginning of one
      const isOpen = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/.test(input);
      if (isOpen && input.length <= MAX_SEQUENCE) escape = input;
      return { rest: isOpen ? "" : input.slice(2), events: nothing };
    }
    if (sequence === PASTE_START) {
      isMarked = true;
      text = "";
    }
    return { rest: input.slice(sequence.length), events: nothing };
  }

  /** With a text it drops that first. Enter that came in the same read is none. */
  function pressEscape(): TerminalInput[] {
    const hadText = text.trim() !== "";
    text = "";
    return hadText ? [] : [{ type: "key", key: "esc" }];
  }

  function single(character: string): TerminalInput[] {
    if (character === "\x03" || character === "\x1a") {
      return [{ type: "key", key: CONTROL[character] ?? "" }];
    }
    if (text !== "") {
      append(character);
      return [];
    }
    const key = CONTROL[character] ??
      (keys.has(character.toLowerCase()) ? character.toLowerCase() : undefined);
    if (key !== undefined) return [{ type: "key", key }];
    if (character >= " " && character !== "\x7f") append(character);
    return [];
  }

  return {
    feed(bytes): TerminalInput[] {
      const events: TerminalInput[] = [];
      const read = utf8.decode(bytes, { stream: true });
      let input = escape + read;
      escape = "";
      // A paste whose end never comes must not take the keyboard away.
      if (isMarked && input === "\x03") {
        isMarked = false;
        text = "";
      }
      if (bytes.length === 1 && !isMarked && input.length === 1 && input !== "\x1b") {
        return single(input);
      }
      while (input !== "") {
        if (isMarked) {
          const taken = takeMarked(input);
          events.push(...taken.events);
          input = taken.rest;
        } else if (input.startsWith("\x1b")) {
          const taken = takeEscape(input);
          events.push(...taken.events);
          input = taken.rest;
        } else {
          const next = input.indexOf("\x1b");
          events.push(...takeText(next < 0 ? input : input.slice(0, next)));
          input = next < 0 ? "" : input.slice(next);
        }
      }
      return events;
    },

    settle(): TerminalInput[] {
      if (escape !== "") {
        const isKey = escape === "\x1b";
        escape = "";
        if (!isKey) return [];
        return pressEscape();
      }
      return !isMarked && /[\r\n]$/.test(text) ? endText() : [];
    },

    get isWaiting(): boolean {
      return escape !== "" || (!isMarked && /[\r\n]$/.test(text));
    },
    get pendingLength(): number {
      return isMarked ? 0 : text.length;
    },
  };
}
