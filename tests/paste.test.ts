import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnResponse } from "../src/login_outcome.ts";
import { followPastes } from "../src/paste_input.ts";
import { createPaste, type Paste } from "../src/paste.ts";
import { createAttempt } from "./testing/attempt.ts";
import { recordLog } from "./testing/recorded_log.ts";

const CODE = "ac_0123456789abcdef";

async function start(
  knows: (code: string) => boolean = () => true,
): Promise<{
  address(changes?: Record<string, string>): string;
  paste: Paste;
  readonly settled: OwnResponse[];
  readonly tried: string[];
  readonly log: ReturnType<typeof recordLog>;
}> {
  const attempt = await createAttempt();
  const settled: OwnResponse[] = [];
  const tried: string[] = [];
  const log = recordLog();
  const outcome: Parameters<typeof createPaste>[1] = {
    settle(response): Promise<never> {
      settled.push(response);
      return new Promise(() => {});
    },
    tryCode(code): Promise<boolean> {
      tried.push(code);
      return Promise.resolve(knows(code));
    },
  };
  return {
    settled,
    tried,
    log,
    address: (changes = {}) =>
      `http://127.0.0.1:1455/auth/callback?${new URLSearchParams({
        code: CODE,
        state: attempt.state,
        ...changes,
      })}`,
    paste: createPaste(attempt, outcome, log),
  };
}

test("a pasted address is judged like a callback, a bare code is bound to this attempt", async () => {
  const { address, paste, settled, tried, log } = await start();
  assert.deepEqual(await paste(address()), { isTaken: true });
  assert.deepEqual(settled.pop(), { kind: "code", code: CODE, onboardingEntrypoint: undefined });
  assert.deepEqual(await paste(CODE), { isTaken: true });
  assert.deepEqual([settled.pop(), tried], [undefined, [CODE]]);
  assert.deepEqual(await paste(address({ error: "access_denied" })), { isTaken: true });
  const denied = settled.pop();
  assert.equal(denied?.kind === "error" && denied.error.code, "ACCESS_DENIED");
  assert.ok(!JSON.stringify(log.lines).includes(CODE));
});

test("an address of another sign-in is named as such, and the login goes on", async () => {
  const { address, paste, settled } = await start();
  for (
    const [text, why] of [
      [address({ state: "x".repeat(43) }), /another sign-in, perhaps to an older try/],
      [address().replace(/&state=.*/, ""), /no state/],
      [`${address()}&code=${CODE}`, /there twice/],
      ["hello", /neither the redirect address nor a code/],
    ] as const
  ) {
    const outcome = await paste(text);
    assert.match(outcome.isTaken ? "" : outcome.why, why);
  }
  assert.deepEqual(settled, []);
});

test("a code that the issuer does not know ends nothing, and keys are not sent as codes", async () => {
  const { paste, settled, tried } = await start(() => false);
  const unknown = await paste("oldcode_from_earlier_try");
  assert.match(unknown.isTaken ? "" : unknown.why, /issuer does not know that code/);
  for (
    const secret of ["sk-proj-0123456789abcdef", "at-0123456789abcdefgh", `eyJ${"x".repeat(30)}`]
  ) {
    const refused = await paste(secret);
    assert.match(refused.isTaken ? "" : refused.why, /looks like a key or a token/);
    assert.ok(!JSON.stringify(refused).includes(secret));
  }
  assert.deepEqual([settled, tried], [[], ["oldcode_from_earlier_try"]]);
});

test("--paste takes the address from stdin, in one piece, in lines and after a wrong one", async () => {
  const { address, paste, settled, tried } = await start(() => false);
  const right = address();
  const wrong = address({ state: "x".repeat(43) });
  const rows: (readonly [reads: string[], refused: number])[] = [
    [[right], 0],
    [[`${right}\n`], 0],
    [[right.slice(0, 20), `${right.slice(20)}\n`, "more\n"], 0],
    [[`${wrong}\n`, `${right}\n`], 1],
    [["\n", `\n${right}\n`], 0],
    // Wrapped: a line alone is no use, and a part of the address is no code.
    [[`${right.slice(0, 50)}\n${right.slice(50, 80)}\n${right.slice(80)}\n`], 2],
    [[`${wrong}\n`, `${right.slice(0, 50)}\n${right.slice(50)}\n`], 2],
    [["y\n".repeat(10), `${right}\n`], 10],
  ];
  for (const [reads, refusals] of rows) {
    const refused: string[] = [];
    await followPastes(
      {
        followStdin: (onBytes) => {
          for (const read of reads) onBytes(new TextEncoder().encode(read));
          return Promise.resolve();
        },
      },
      paste,
      (why) => void refused.push(why),
      new AbortController().signal,
    );
    assert.deepEqual([settled.splice(0).length, refused.length], [1, refusals], reads.join("|"));
  }
  assert.ok(tried.every((code) => !code.includes("hello")));
});

test("--paste bounds what it reads, and an end without an address changes nothing", async () => {
  const { paste, settled } = await start();
  for (
    const [text, told] of [
      ["x ".repeat(10_000), 1],
      ["", 1],
      ["hello", 2],
      ["y\n".repeat(1_000), 41],
    ] as const
  ) {
    const refused: string[] = [];
    const followStdin = (onBytes: (bytes: Uint8Array) => void): Promise<void> => {
      onBytes(new TextEncoder().encode(text));
      return Promise.resolve();
    };
    const { signal } = new AbortController();
    await followPastes({ followStdin }, paste, (why) => void refused.push(why), signal);
    assert.equal(refused.length, told, text.slice(0, 10));
  }
  assert.deepEqual(settled, []);
});
