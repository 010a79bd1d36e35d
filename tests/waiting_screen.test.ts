import assert from "node:assert/strict";
import { test } from "node:test";
import {
  openWaitingScreen,
  type WaitingScreen,
  type WaitingScreenOptions,
} from "../src/waiting_screen.ts";
import { createFakeTerminal, type FakeTerminal } from "./testing/fake_terminal.ts";
import { createSteppedClock, type SteppedClock } from "./testing/stepped_clock.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";

interface Opened {
  readonly clock: SteppedClock;
  readonly terminal: FakeTerminal;
  readonly world: TestWorld;
  readonly screen: WaitingScreen;
  readonly did: string[];
}

async function open(
  changes: Partial<WaitingScreenOptions> = {},
  columns?: number,
): Promise<Opened> {
  const clock = createSteppedClock();
  const terminal = createFakeTerminal(columns);
  const world = await createWorld({ ...clock, ...terminal });
  const did: string[] = [];
  const screen = await openWaitingScreen(world, {
    keys: { enter: () => did.push("enter"), c: () => did.push("c") },
    title: "Waiting",
    limitMs: 600_000,
    isPlain: false,
    onText: (text) => void did.push(`text ${text.length}`),
    ...changes,
  });
  assert.ok(screen);
  return { clock, terminal, world, screen, did };
}

const lastLine = (drawn: string): string => drawn.split("\x1b[2K").at(-1) ?? "";

test("the line tells how long it took, and how long it may still take", async () => {
  const { clock, terminal, screen } = await open();
  await clock.advance(12_000);
  assert.equal(lastLine(terminal.drawn()), "0:12, 9:48 left - Waiting");
  screen.say("A note\nof two lines");
  const shown = "\r\x1b[2KA note\r\nof two lines\r\n\r\x1b[2K0:12, 9:48 left - Waiting";
  assert.ok(terminal.drawn().endsWith(shown));
  await clock.advance(700_000);
  assert.equal(lastLine(terminal.drawn()), "11:52, 0:00 left - Waiting");
  screen.close();
  screen.close();
  assert.ok(terminal.drawn().endsWith("\r\x1b[2K"));
  assert.ok(!terminal.isOpen());
});

test("the line is never as wide as the terminal, and has no end where nothing ends", async () => {
  const narrow = await open({}, 12);
  assert.equal(lastLine(narrow.terminal.drawn()), "0:00, 10:00");
  narrow.screen.close();
  const endless = await open({ limitMs: 0 });
  assert.equal(lastLine(endless.terminal.drawn()), "0:00 - Waiting");
  endless.screen.close();
});

test("keys do what they are for; Esc and Ctrl-C cancel; Ctrl-Z stops", async () => {
  const { clock, terminal, world, screen, did } = await open();
  for (const key of ["\r", "c", "C", "x", "\x7f", "\x1b[A"]) terminal.press(key);
  assert.deepEqual(did, ["enter", "c", "c"]);
  terminal.press("\x1a");
  assert.equal(terminal.suspended(), 1);
  terminal.press("\x1b");
  await clock.advance(49);
  assert.ok(!world.signal.aborted);
  await clock.advance(1);
  assert.equal(world.signal.reason.code, "INTERRUPTED");
  screen.close();
  const other = await open();
  other.terminal.press("\x03");
  assert.ok(other.world.signal.aborted);
  other.screen.close();
});

test("what is pasted or typed is handed over and never drawn", async () => {
  const { clock, terminal, screen, did } = await open();
  assert.ok(terminal.marksPastes());
  terminal.press("\x1b[200~http://127.0.0.1/?code=secret-one\x1b[201~");
  assert.deepEqual(did, ["text 33"]);
  terminal.press("http://127.0.0.1/?code=secret-two");
  assert.equal(lastLine(terminal.drawn()), "33 characters: Enter takes them, Esc drops them");
  terminal.press("\r");
  await clock.advance(50);
  assert.deepEqual(did, ["text 33", "text 34"]);
  terminal.press("secret-three");
  terminal.press("\x1b");
  await clock.advance(50);
  assert.deepEqual(did.length, 2);
  assert.ok(!/secret|code=/.test(terminal.drawn()));
  screen.close();
});

test("stopped and continued, the line is drawn anew", async () => {
  const { terminal, screen } = await open();
  const { length } = terminal.drawn();
  terminal.resume();
  assert.ok(terminal.drawn().slice(length).startsWith("\r\x1b[2K0:00, 10:00 left"));
  screen.close();
});

test("plain: no line, no escape sequence, and everything else works", async () => {
  const { clock, terminal, screen, did } = await open({ isPlain: true });
  assert.ok(!terminal.marksPastes());
  terminal.press("http://127.0.0.1/?code=secret\r");
  await clock.advance(5_000);
  screen.say("A note");
  terminal.press("\r");
  assert.deepEqual(did, ["text 30", "enter"]);
  screen.close();
  assert.equal(terminal.drawn(), "A note\r\n");
});

test("without a terminal on both sides there is no screen", async () => {
  for (const missing of ["stdin", "stderr"]) {
    const world = await createWorld({
      ...createFakeTerminal(),
      isTerminal: (stream) => Promise.resolve(stream !== missing),
    });
    const options = { keys: {}, title: "", limitMs: 0, isPlain: false };
    assert.equal(await openWaitingScreen(world, options), undefined);
  }
});
