import { childPath } from "../child_path.ts";
import type { Credentials } from "./auth_file.ts";
import type { FileChanges } from "./file_changes.ts";
import { readPlainLogin } from "./plain_login.ts";
import type { CredentialPlace, CredentialStore, StoreWorld } from "./store.ts";

/** `auth.json` in CODEX_HOME. What changes it is loaded when it is used: `status` only reads. */
export function createFileStore(
  world: StoreWorld,
  home: string,
): CredentialStore & CredentialPlace {
  const path = childPath(home, "auth.json");
  const changes = async (): Promise<FileChanges> =>
    (await import("./file_changes.ts")).createFileChanges(world, home);

  return {
    kind: "file",
    path,

    async load(): Promise<Credentials | undefined> {
      const plain = await readPlainLogin(home, path);
      if (plain) return plain.credentials;
      return await (await import("./unusual_login.ts")).readUnusualLogin(home);
    },

    prove: async (...given) => await (await changes()).prove(...given),
    proveRemovable: async (...given) => await (await changes()).proveRemovable(...given),
    renewing: async (...given) => await (await changes()).renewing(...given),
    update: async (...given) => await (await changes()).update(...given),
    remove: async (...given) => await (await changes()).remove(...given),
  };
}
