import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { LoginError } from "../errors.ts";
import { printable } from "../printable.ts";
import { environmentValue, type KeyringStep, type World } from "../world.ts";
import { MAX_AUTH_FILE_BYTES } from "./auth_file.ts";

/** As large as a login ever was: some keyrings take only short texts (2,560 bytes on Windows). */
const PROBE_BYTES = 8_192;

export type KeyringWorld = Pick<World, "keyring" | "env" | "platform">;

/** The entry of one CODEX_HOME in the person's keyring. All of it rejects with KEYRING_UNAVAILABLE. */
export interface Keyring {
  read(): Promise<string | undefined>;
  /** Writes, and makes sure that the same can be read. `aside` names an entry beside it that takes what was there before. */
  write(text: string, aside?: { readonly name: string; readonly text: string }): Promise<void>;
  remove(): Promise<void>;
  /**
   * Writes, reads and removes an entry of another name: nothing else shows that the keyring is open. Only with the locks held,
   * since it is always the same one: what a killed process leaves is removed by the next.
   */
  prove(): Promise<void>;
  /** Reads for those who only want to be thorough: undefined when it cannot be read, which is told if there is a keyring at all. */
  look(onObstacle: (error: LoginError) => void | Promise<void>): Promise<string | undefined>;
}

export function createKeyring(world: KeyringWorld, home: string): Keyring {
  async function ask(steps: (user: string) => KeyringStep[]): Promise<(string | null)[]> {
    const answer = await attempt(steps);
    if ("failure" in answer) throw unavailable(answer.failure);
    return [...answer.texts];
  }

  async function attempt(
    steps: (user: string) => KeyringStep[],
  ): ReturnType<KeyringWorld["keyring"]> {
    if (!hasBus(world)) {
      return {
        failure: "there is no D-Bus session (DBUS_SESSION_BUS_ADDRESS is not set)",
        isAbsent: true,
      };
    }
    return await world.keyring(steps(await entryUser(world.platform, home)));
  }

  async function writeAndCompare(
    text: string,
    steps: (user: string) => KeyringStep[],
  ): Promise<void> {
    const [read] = await ask(steps);
    if (read !== text) throw unavailable("it did not give back what was written");
  }

  return {
    async read(): Promise<string | undefined> {
      const [text] = await ask((user) => [{ op: "read", user }]);
      return bounded(text);
    },

    write: (text, aside) =>
      writeAndCompare(text, (user) => [
        ...(aside
          ? [{ op: "write", user: `${user}|${aside.name}`, text: aside.text } as const]
          : []),
        { op: "write", user, text },
        { op: "read", user },
      ]),

    async remove(): Promise<void> {
      await ask((user) => [{ op: "remove", user }]);
    },

    prove(): Promise<void> {
      const text = "x".repeat(PROBE_BYTES);
      return writeAndCompare(text, (user) => [
        { op: "write", user: `${user}|probe`, text },
        { op: "read", user: `${user}|probe` },
        { op: "remove", user: `${user}|probe` },
      ]);
    },

    async look(onObstacle): Promise<string | undefined> {
      const answer = await attempt((user) => [{ op: "read", user }]);
      if ("texts" in answer) return bounded(answer.texts[0]);
      if (!answer.isAbsent) await onObstacle(unavailable(answer.failure));
      return undefined;
    },
  };
}

/** As the reference names it. A home that does not exist is named as it was given. */
export async function entryUser(platform: string, home: string): Promise<string> {
  const canonical = await realpath(home).catch(() => home);
  // What Rust calls canonical on Windows.
  const path = platform === "win32" && !canonical.startsWith("\\\\")
    ? `\\\\?\\${canonical}`
    : canonical;
  return `cli|${createHash("sha256").update(path).digest("hex").slice(0, 16)}`;
}

/** Where the Secret Service would be; without one the library's own words would be about X11. */
function hasBus(world: KeyringWorld): boolean {
  if (world.platform !== "linux" || environmentValue(world, "DBUS_SESSION_BUS_ADDRESS")) {
    return true;
  }
  const folder = environmentValue(world, "XDG_RUNTIME_DIR");
  return folder !== undefined && existsSync(join(folder, "bus"));
}

function bounded(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined;
  if (Buffer.byteLength(text) <= MAX_AUTH_FILE_BYTES) return text;
  throw new LoginError("CREDENTIALS_CORRUPT", "The stored credentials are damaged", {
    reason: `the keyring entry is larger than ${MAX_AUTH_FILE_BYTES} bytes`,
  });
}

function unavailable(failure: string): LoginError {
  return new LoginError("KEYRING_UNAVAILABLE", "The keyring cannot be used", {
    reason: printable(failure),
  });
}
