import { createKeyring } from "../credentials/keyring.ts";
import { toLoginError } from "../errors.ts";
import { type Check, type Examined, failWith, type Finding, ok, skip } from "./check.ts";
import { KEYRING_MS } from "./stored_login.ts";

/** The person's keyring, where it is the store. */
export function keyringChecks({ world, config: { home, store }, hazard }: Examined): Check[] {
  return [{
    id: "keyring.access",
    limitMs: KEYRING_MS,
    async run(): Promise<Finding> {
      if (store !== "keyring" && store !== "auto") {
        return skip(`the store is ${typeof store === "object" ? "the program's own" : store}`);
      }
      if (hazard) return skip(`not asked, because ${hazard.variable} is set`);
      const started = world.elapsed();
      try {
        const text = await createKeyring(world, home).read();
        const ms = Math.round(world.elapsed() - started);
        return ok(
          `it answers in ${ms} ms, ${text === undefined ? "without" : "with"} a login of this home`,
        );
      } catch (thrown) {
        const found = failWith(
          toLoginError(thrown),
          "a keyring that is there, unlocked, and answers",
        );
        // Then the file takes its place.
        return store === "auto" ? { ...found, status: "warn" } : found;
      }
    },
  }];
}
