import { sleep } from "../../src/system_world.ts";

/** Milliseconds for what another process is about to do, on a busy machine. */
const PATIENCE_MS = 30_000;

/** Waits until this holds. A limit of its own, because not every runner keeps those of tests. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`not so in half a minute: ${what}`);
    await sleep(10);
  }
}
