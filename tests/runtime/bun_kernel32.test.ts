import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kernel32, lockFileEx, tryLockFileEx } from "../../src/runtime/bun_kernel32.ts";

const HANDLE = 0x1c4;

/** Windows as far as a lock needs it: no other is at hand where these tests run. */
function fakeKernel32({ opens = HANDLE as number | null, locks = 1 } = {}): {
  symbols: Kernel32;
  calls: string[];
} {
  const calls: string[] = [];
  return {
    calls,
    symbols: {
      CreateFileW(...parameters): number | null {
        calls.push(`open ${parameters.slice(1).join()}`);
        return opens;
      },
      LockFileEx(...parameters): number {
        calls.push(`lock ${parameters.slice(0, 5).join()}`);
        return locks;
      },
      CloseHandle(handle): number {
        calls.push(`close ${handle}`);
        return 1;
      },
    },
  };
}

test("lockFileEx() locks the whole file, and lets go by closing it", () => {
  const { symbols, calls } = fakeKernel32();
  const texts: string[] = [];
  const pointer = (bytes: Uint8Array): number => texts.push(Buffer.from(bytes).toString("utf16le"));
  const lock = lockFileEx(symbols, pointer, "C:\\home\\auth.lock");
  assert.equal(texts[0], "C:\\home\\auth.lock\0");
  assert.deepEqual(calls, [
    "open 3221225472,7,,4,128,",
    "lock 452,3,0,4294967295,4294967295",
  ]);
  lock?.release();
  assert.equal(calls.at(-1), "close 452");
});

test("lockFileEx() gives up a file that another process has locked, and leaves no handle", () => {
  const { symbols, calls } = fakeKernel32({ locks: 0 });
  assert.equal(lockFileEx(symbols, () => 1, "x"), undefined);
  assert.equal(calls.at(-1), "close 452");
});

test("lockFileEx() says when the file cannot be opened", () => {
  for (const opens of [null, 0, -1, 2 ** 64]) {
    const { symbols, calls } = fakeKernel32({ opens });
    assert.throws(() => lockFileEx(symbols, () => 1, "x"), { code: "SAVE_FAILED" });
    assert.equal(calls.length, 1);
  }
});

test("where there is no such library, writing is refused", {
  skip: process.platform === "win32" && "there is one",
}, async () => {
  await assert.rejects(tryLockFileEx("x"), { code: "LOCK_UNSUPPORTED" });
});
