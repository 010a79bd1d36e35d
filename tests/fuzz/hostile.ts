import fc from "fast-check";
import { MARK } from "./fuzz_property.ts";

/** Pieces that parsers stumble over. */
const NASTY = [
  ...["", " ", "\0", "\ufeff", "\u202e", "\u2066", "\u200b", "\u001b[31m", "\u009b", "\u2028"],
  ...["\r\n", "\n", "\r", "\t", "\v", "\ud800", "\udfff", "\u{1f511}", "é", "\u{e0041}"],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "null", "undefined"],
  ...["9".repeat(400), "1e999", "-0", "0x10", "NaN", "18446744073709551616", "1.5"],
  ...["[".repeat(3_000), "{".repeat(300), "\\u0000", '\\"', "\\", "'", '"', "`", "$(x)", "%s"],
  ...["%", "%zz", "%00", "%ff", "%c3%28", "&", "=", "#", "?", "/", "//", "..", ":", "@", ";", ","],
  ...["javascript:alert(1)", "http://[::1/", "file:///etc/passwd", "x".repeat(5_000), MARK],
];

export const nasty: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: "binary", maxLength: 20 }),
);

type Edit = (text: string) => string;

const edit: fc.Arbitrary<Edit> = fc.tuple(fc.nat(), fc.nat(40), nasty, fc.nat(5)).map(
  ([position, length, piece, kind]) => (text: string): string => {
    const at = position % (text.length + 1);
    const [before, middle, after] = [
      text.slice(0, at),
      text.slice(at, at + length),
      text.slice(at + length),
    ];
    return [
      before + piece + middle + after,
      before + piece + after,
      before + after,
      before + middle + middle + after,
      before,
      before + middle.repeat(50) + after,
    ][kind] ?? text;
  },
);

/** A text that was right, with a few things done to it. */
export function mutated(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(right, fc.array(edit, { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((one, change) => change(one), text)
  );
}

/** Any text: what was right once, or nothing that ever was. */
export function hostileText(...right: string[]): fc.Arbitrary<string> {
  const weights = { edited: 6, noise: 1 };
  return fc.oneof(
    { weight: weights.edited, arbitrary: mutated(fc.constantFrom(...right)) },
    { weight: weights.noise, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    { weight: weights.noise, arbitrary: nasty },
  );
}

const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nasty,
  fc.constantFrom<unknown>(null, true, 0, -1, 1e21, 1.5, [], {}, [[]], { a: { b: [1] } }, [MARK]),
  fc.jsonValue({ maxDepth: 2 }),
);

type Change = (value: Record<string, unknown>) => Record<string, unknown>;

/** An object that was right, with some members changed, taken away, or made up. */
export function hostileObject(
  right: Record<string, unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(right);
  const change: fc.Arbitrary<Change> = fc.tuple(
    fc.oneof(fc.constantFrom(...names), nasty.filter((one) => one !== "__proto__")),
    nastyValue,
    fc.nat(3),
  ).map(([name, value, kind]) => (one) => {
    if (kind === 0) return Object.fromEntries(Object.entries(one).filter(([key]) => key !== name));
    const own = one[name];
    const isObject = typeof own === "object" && own !== null && !Array.isArray(own);
    return { ...one, [name]: kind === 1 && isObject ? { ...own, [String(value)]: value } : value };
  });
  return fc.array(change, { maxLength: 3 }).map((changes) =>
    changes.reduce((one, next) => next(one), right)
  );
}

/** Values as only a text can have them: numbers that no double holds, and depths that only a limit stops. */
const rawValue = fc.constantFrom(
  ...["1.0", "-0", "1e999", "-1e999", "12345678901234567890", "1E400", "0.1e-400", "true", "null"],
  ...[
    "[".repeat(40) + "]".repeat(40),
    '{"a":'.repeat(70) + "1" + "}".repeat(70),
    '"\\ud800"',
    "{}",
  ],
);

/** The members of an object that was right, with others behind them, of the same name or not. */
function withRawMembers(right: Record<string, unknown>): fc.Arbitrary<string> {
  const name = fc.oneof(fc.constantFrom(...Object.keys(right), "__proto__", "constructor"), nasty);
  return fc.array(fc.tuple(name, rawValue), { maxLength: 4 }).map((members) => {
    const own = Object.entries(right).map(([key, value]) => [key, JSON.stringify(value)]);
    const all = [...own, ...members].map(([key = "", value]) => `${JSON.stringify(key)}:${value}`);
    return `{${all.join(",")}}`;
  });
}

/**
 * V8 remembers a member whose name has a backslash, and takes escaped names for it later: github.com/nodejs/node/issues/63785.
 * Nobody names members so.
 */
const NAME_WITH_BACKSLASH = /\\\\(?:[^"\\]|\\.)*"\s*:/;

/** JSON that is nearly right. */
export function hostileJson(right: Record<string, unknown>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: hostileObject(right).map((one) => JSON.stringify(one)) },
    { weight: 2, arbitrary: mutated(hostileObject(right).map((one) => JSON.stringify(one))) },
    { weight: 1, arbitrary: fc.constant(`{"__proto__":${JSON.stringify(right)}}`) },
    { weight: 2, arbitrary: withRawMembers(right) },
    { weight: 1, arbitrary: fc.oneof(fc.json(), rawValue) },
  ).filter((text) => !NAME_WITH_BACKSLASH.test(text));
}
