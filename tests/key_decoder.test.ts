import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createKeyDecoder, type TerminalInput } from "../src/key_decoder.ts";

const KEYS = new Set(["c", "q", "d"]);
const key = (name: string): TerminalInput => ({ type: "key", key: name });
const text = (value: string): TerminalInput => ({ type: "text", text: value });

/** Feeds each part as one read; `null` is a while in which nothing came. */
function decode(...parts: (string | null)[]): TerminalInput[] {
  const decoder = createKeyDecoder(KEYS);
  return parts.flatMap((part) =>
    part === null ? decoder.settle() : decoder.feed(new TextEncoder().encode(part))
  );
}

test("a single byte is a key, anything longer is text", () => {
  assert.deepEqual(decode("\r", "\n", "c", "Q", "\x03", "\x1a"), [
    key("enter"),
    key("enter"),
    key("c"),
    key("q"),
    key("ctrl-c"),
    key("ctrl-z"),
  ]);
  assert.deepEqual(decode("cq", null), []);
  assert.deepEqual(decode("cq", "\r", null), [text("cq\r")]);
  assert.deepEqual(decode("http://x?code=1\r", null), [text("http://x?code=1\r")]);
  assert.deepEqual(decode("\x03\x03"), [key("ctrl-c")]);
});

test("typed text is no row of keys, can be corrected, and ends with Enter", () => {
  assert.deepEqual(decode("a", "c", "d", "x", "\x7f", "\r", null), [text("acd\r")]);
  assert.deepEqual(decode("x\x7f", "\x1b", null), [key("esc")]);
  assert.deepEqual(decode("abx\x7f\x7fc", "\r", null), [text("ac\r")]);
  assert.deepEqual(decode("a", "\x03"), [key("ctrl-c")]);
  assert.deepEqual(decode("\x7f", "\t", "\x00"), []);
});

test("ESC alone counts after a while; what follows at once is a sequence of a key that is not ours", () => {
  assert.deepEqual(decode("\x1b"), []);
  assert.deepEqual(decode("\x1b", null), [key("esc")]);
  assert.deepEqual(decode("\x1b[A", null), []);
  assert.deepEqual(decode("\x1b", "[A", null), []);
  assert.deepEqual(decode("\x1b[", "1;5C", null, "c"), [key("c")]);
  assert.deepEqual(decode("\x1bOP", "\x1bc", null), []);
  assert.deepEqual(decode("some text", "\x1b", null, "\r"), [key("enter")]);
  assert.deepEqual(decode("\r\x1b", null), [key("esc")]);
});

test("a marked paste is one text, however it is cut and whatever is in it", () => {
  const pasted = "http://127.0.0.1:1455/auth/callback?code=a\r\nb&state=c\x03q\x1b[31m";
  const marked = `\x1b[200~${pasted}\x1b[201~`;
  assert.deepEqual(decode(marked), [text(pasted)]);
  // Byte by byte a Ctrl-C is one: nobody can tell it from a key.
  const bytewise = pasted.replace("\x03", "");
  assert.deepEqual(decode(...`\x1b[200~${bytewise}\x1b[201~`), [text(bytewise)]);
  assert.deepEqual(decode(`${marked}${marked}`), [text(pasted), text(pasted)]);
  assert.deepEqual(decode("\x1b[200~\x1b[201~", "c"), [key("c")]);
});

test("Ctrl-C and Esc are heard whatever else is read with them", () => {
  assert.deepEqual(decode("\x1b\x03"), [key("esc"), key("ctrl-c")]);
  assert.deepEqual(decode("\x1b", "\x03"), [key("esc"), key("ctrl-c")]);
  assert.deepEqual(decode("\x1b[A\x03"), [key("ctrl-c")]);
  assert.deepEqual(decode("\x1b\x1b", null), [key("esc"), key("esc")]);
  assert.deepEqual(decode("some text\x03"), [key("ctrl-c")]);
  // A paste that has no end, or one that was cut into pieces.
  assert.deepEqual(decode("\x1b[200~abc", "\x03", "c"), [key("ctrl-c"), key("c")]);
  const long = "a".repeat(70_000);
  const [pasted, after] = decode(`\x1b[200~${long}\x1b[20`, "1~", "c");
  assert.ok(pasted?.type === "text" && pasted.text.startsWith("aaa"));
  assert.deepEqual(after, key("c"));
  assert.equal(decode(long, "\r", null)[0]?.type, "text");
});

test("corrections of a long text cost what they correct", () => {
  const decoder = createKeyDecoder(KEYS);
  // Each part reached over the whole text once: a minute for a megabyte.
  for (let i = 0; i < 256; i++) decoder.feed(Buffer.from("\x1b[20\x7f".repeat(800)));
  assert.ok(decoder.pendingLength > 60_000 && decoder.pendingLength <= 65_536);
  const key2 = "\u{1f511}";
  assert.deepEqual(decode(`a${key2}`, "\x7f", "\x7f\x7fb", `c${key2}\x7f`, "\r", null), [
    text("bc\r"),
  ]);
});

test("a sequence that never ends is waited for no more", () => {
  const decoder = createKeyDecoder(KEYS);
  decoder.feed(Buffer.from("\x1b["));
  for (let i = 0; i < 100; i++) decoder.feed(Buffer.from("0".repeat(10_000)));
  assert.ok(decoder.pendingLength <= 65_536);
  assert.deepEqual(decoder.settle(), []);
  assert.deepEqual(decode(`\x1b[${"1".repeat(70)}`, null, "c"), [key("c")]);
});

test("a paste without marks ends with a line's end that nothing follows", () => {
  assert.deepEqual(decode("first line\r", "second line", null), []);
  assert.deepEqual(decode("first line\r", "second line\r", null), [
    text("first line\rsecond line\r"),
  ]);
});

test("whatever is read, nothing fails, and text is bounded", () => {
  const read = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.constantFrom("\x1b", "\x1b[200~", "\x1b[201~", "\x1b[", "\r", "\x03", "c"),
    fc.constant(null),
  );
  fc.assert(fc.property(fc.array(read), (parts) => {
    for (const event of decode(...parts)) {
      if (event.type === "text") assert.ok(event.text.trim() !== "" && event.text.length <= 65_536);
      else assert.match(event.key, /^(enter|esc|ctrl-[cz]|[cqd])$/);
    }
  }));
  const [event] = decode("\x1b[200~" + "x".repeat(70_000), "\x1b[201~");
  assert.ok(event?.type === "text");
});
