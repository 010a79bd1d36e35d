import type { AsyncEntry } from "@napi-rs/keyring";
import * as v from "valibot";
import { parseJson } from "./json.ts";
import { MAX_KEYRING_MESSAGE_BYTES } from "./keyring_access.ts";
import type { KeyringAnswer, KeyringStep, World } from "./world.ts";

/** Of the reference, whose entries these are. */
const SERVICE = "Codex Auth";
const TARGET = "default";

const Steps = v.array(v.variant("op", [
  v.object({ op: v.literal("read"), user: v.string() }),
  v.object({ op: v.literal("write"), user: v.string(), text: v.string() }),
  v.object({ op: v.literal("remove"), user: v.string() }),
]));

const LIFE_S = 5;

/** The file of the native code inside an executable; the build puts it here, and nothing is there in the sources. */
declare const KEYRING_ADDON: string | undefined;

/**
 * What the helper process does: the steps that come on stdin, and the answer on stdout. It is a process of its own because
 * native calls to a keyring that hangs cannot be given up, and keep the process that made them from ending.
 */
export async function serveKeyring(
  world: Pick<World, "stdin" | "runtime" | "platform" | "signal" | "writeData">,
): Promise<number> {
  await world.runtime.protectMemory();
  // Whoever asked gives up earlier, and ends this process; but may be gone.
  await world.runtime.limitLife(LIFE_S);
  const bytes = await world.stdin.read(MAX_KEYRING_MESSAGE_BYTES, world.signal);
  const limits = { maxLength: MAX_KEYRING_MESSAGE_BYTES, maxDepth: 4 };
  const steps = v.parse(Steps, parseJson(new TextDecoder().decode(bytes), limits));
  world.writeData(JSON.stringify(await answer(steps, world.platform)));
  return 0;
}

async function answer(steps: readonly KeyringStep[], platform: string): Promise<KeyringAnswer> {
  let Entry: typeof AsyncEntry;
  try {
    Entry = await loadEntry();
  } catch (thrown) {
    const words = firstLine(thrown);
    return { failure: `@napi-rs/keyring cannot be loaded: ${words}`, isAbsent: true };
  }
  const texts: (string | null)[] = [];
  try {
    for (const step of steps) {
      const entry = openEntry(Entry, step.user, platform);
      if (step.op === "read") texts.push(await entry.getPassword());
      else if (step.op === "write") await entry.setPassword(step.text);
      else await entry.deleteCredential();
    }
    return { texts };
  } catch (thrown) {
    const failure = firstLine(thrown);
    return { failure, isAbsent: /was not provided by any \.service|ServiceUnknown/.test(failure) };
  }
}

/** Never the kernel's keyring, which forgets at the next start. Elsewhere than on Linux a target would be another entry. */
function openEntry(Entry: typeof AsyncEntry, user: string, platform: string): AsyncEntry {
  const options = { linux: { store: "secret-service" } } as const;
  return platform === "linux"
    ? Entry.withTarget(TARGET, SERVICE, user, options)
    : new Entry(SERVICE, user, options);
}

async function loadEntry(): Promise<typeof AsyncEntry> {
  const module = typeof KEYRING_ADDON === "undefined"
    ? await import("@napi-rs/keyring")
    : await import(KEYRING_ADDON);
  return (module.AsyncEntry ?? module.default.AsyncEntry) as typeof AsyncEntry;
}

function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split("\n")[0] ?? "";
}
