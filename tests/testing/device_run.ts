import assert from "node:assert/strict";
import { runCli } from "../../src/cli.ts";
import type { World } from "../../src/world.ts";
import type { TestHome } from "./home.ts";
import { assertNoSecrets } from "./leaks.ts";
import { type ScriptedIssuer, USER_CODE } from "./scripted_issuer.ts";
import type { VirtualClock } from "./virtual_clock.ts";
import { createWorld, type TestWorld } from "./world.ts";

/** A login with a device code under way, in this process and out of time. */
export interface DeviceRun {
  readonly world: TestWorld;
  readonly exitCode: Promise<number>;
  words(): string;
}

export async function startDeviceLogin(
  home: TestHome,
  issuer: ScriptedIssuer,
  clock: VirtualClock,
  args: readonly string[] = [],
  changes: Partial<World> = {},
): Promise<DeviceRun> {
  const { now, elapsed, sleep } = clock;
  const world = await createWorld({ fetch: issuer.fetch, now, elapsed, sleep, ...changes });
  const where = issuer.url === "https://auth.openai.com" ? [] : ["--issuer", issuer.url];
  const exitCode = runCli(
    ["login", "--device-auth", ...where, "--codex-home", home.path, ...args],
    world,
  );
  return { world, exitCode, words: () => world.words.join("\n") };
}

/** It failed so; what was stored is as it was; and no secret is on the terminal or in the log, which does not know the code either. */
export async function assertDeviceFailed(
  run: DeviceRun,
  home: TestHome,
  issuer: ScriptedIssuer,
  [code, exitCode]: readonly [code: string, exitCode: number],
  before?: string,
): Promise<void> {
  assert.equal(await run.exitCode, exitCode, run.words());
  assert.ok(run.words().includes(`error[${code}]: `), run.words());
  assert.equal(await home.readAuth().catch(() => undefined), before);
  assert.ok(!(await home.list()).some((name) => name.endsWith(".tmp")));
  await assertNothingLeaked(run, home, issuer);
}

export async function assertNothingLeaked(
  run: DeviceRun,
  home: TestHome,
  issuer: ScriptedIssuer,
): Promise<void> {
  const log = await home.textOutsideAuth();
  assert.ok(!log.includes(USER_CODE));
  assertNoSecrets([run.words(), ...run.world.data, log].join("\n"), issuer);
  // deno-lint-ignore no-control-regex -- that is what must not be there
  assert.doesNotMatch(run.words(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/);
}
