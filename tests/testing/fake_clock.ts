import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestHome } from "./home.ts";
import { IS_REQUIRED } from "./tools.ts";

const SHARED_MEMORY = "/dev/shm";
/** The loader knows where libraries are here. */
const LIBRARY = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/** Why a test that sets a clock is skipped. */
export function missingFakeClock(): string | false {
  const env = { PATH: process.env["PATH"], LD_PRELOAD: LIBRARY, FAKETIME: "+3y" };
  const { stdout } = spawnSync("date", ["+%Y"], { env, encoding: "utf8" });
  const isMoved = Number(stdout) > new Date().getFullYear() + 1;
  return isMoved || IS_REQUIRED ? false : "libfaketime is not installed";
}

/** The wall clock of a program, which can be set while it runs. Time itself goes on as it does. */
export interface FakeClock extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  set(shift: string): Promise<void>;
}

/**
 * Without faketime(1): it starts nothing when a process that had its number left something behind.
 *
 * @param shift `+3y`, `-1h`: how far it is off at first.
 */
export async function startClock(home: TestHome, shift: string): Promise<FakeClock> {
  const path = join(home.path, "clock");
  const set = async (shift: string): Promise<void> => {
    await writeFile(`${path}.part`, `${shift}\n`);
    await rename(`${path}.part`, path);
  };
  await set(shift);
  return {
    env: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set,
    [Symbol.asyncDispose]: removeLeftovers,
  };
}

/** A program that ends without its library's last words leaves some memory to all who come after it. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(SHARED_MEMORY).catch(() => [])) {
    const [, pid] = /faketime_s(?:em|hm)_(\d+)$/.exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    // It may be another user's.
    await rm(join(SHARED_MEMORY, name), { force: true }).catch(() => {});
  }
}
