import type { TestHome } from "./home.ts";
import type { TestIssuer } from "./issuer.ts";
import { ADA, type User } from "./users.ts";

export interface StoredLogin {
  /** What is in the home, whole. */
  readonly document: Record<string, unknown>;
  readonly tokens: Record<string, string>;
}

/** Stores a login of this issuer as a sign-in does, its access token good for `lifetimeS` seconds (negative: expired). */
export async function storeLogin(
  home: TestHome,
  issuer: TestIssuer,
  lifetimeS: number,
  user: User = ADA,
): Promise<StoredLogin> {
  const { id_token, access_token, refresh_token } = issuer.issue(user, lifetimeS);
  const tokens = { id_token, access_token, refresh_token } as Record<string, string>;
  const document = {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      ...tokens,
      oauth_provenance: { issuer: issuer.url, client_id: "app_EMoamEEZ73f0CkXaXp7hrann" },
      login_owner_id: "b3duZXItb2YtYS10ZXN0LWxvZ2lu",
      account_id: user.accountId,
      theirs: { kept: [1, "two"] },
    },
    last_refresh: new Date().toISOString().replace("Z", "000000Z"),
    mine: { also: "kept" },
  };
  await home.writeAuth(document);
  return { document, tokens };
}
