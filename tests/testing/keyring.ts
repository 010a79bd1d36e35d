import { entryUser } from "../../src/credentials/keyring.ts";
import type { KeyringAccess, KeyringStep } from "../../src/world.ts";
import { createWorld, type TestWorld } from "./world.ts";

/** A keyring in memory that fails when it is told to. */
export interface FakeKeyring {
  readonly access: KeyringAccess;
  /** Texts by user name. */
  readonly entries: Map<string, string>;
  readonly calls: (readonly KeyringStep[])[];
  /** The backend's words; while they are set nothing else is done. */
  failure: string | undefined;
  isAbsent: boolean;
  /** Asked before each call: whether it fails. */
  failsAt(call: readonly KeyringStep[]): boolean;
}

export function createFakeKeyring(): FakeKeyring {
  const entries = new Map<string, string>();
  const calls: (readonly KeyringStep[])[] = [];
  const fake: FakeKeyring = {
    entries,
    calls,
    failure: undefined,
    isAbsent: false,
    failsAt: () => false,
    access(steps): ReturnType<KeyringAccess> {
      calls.push(steps);
      const failure = fake.failure ?? (fake.failsAt(steps) ? "it was told to fail" : undefined);
      if (failure !== undefined) return Promise.resolve({ failure, isAbsent: fake.isAbsent });
      const texts: (string | null)[] = [];
      for (const step of steps) {
        if (step.op === "read") texts.push(entries.get(step.user) ?? null);
        else if (step.op === "write") entries.set(step.user, step.text);
        else entries.delete(step.user);
      }
      return Promise.resolve({ texts });
    },
  };
  return fake;
}

/** A World with that keyring, and a session bus that would lead to it. */
export async function createKeyringWorld(
  keyring: FakeKeyring,
  changes: Partial<TestWorld> = {},
): Promise<TestWorld> {
  return await createWorld({
    keyring: keyring.access,
    env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" },
    ...changes,
  });
}

/** The entry of this home. */
export async function userOf(home: { readonly path: string }): Promise<string> {
  return await entryUser(process.platform, home.path);
}
