import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { chatGptDocument } from "../../src/credentials/auth_document.ts";
import type { TestHome } from "./home.ts";
import { signJwt } from "./jwt.ts";
import { authClaim, type User } from "./users.ts";

/** The document of a login that this user made just now, with tokens that no other has. */
export function loginOf(
  user: User,
  issuer = "http://127.0.0.1:9",
): Record<string, unknown> {
  const unique = randomBytes(16).toString("hex");
  const claims = {
    iss: issuer,
    sub: user.sub,
    email: user.email,
    jti: unique,
    "https://api.openai.com/auth": authClaim(user),
  };
  return chatGptDocument({
    idToken: signJwt(claims),
    accessToken: signJwt({ ...claims, exp: 4_000_000_000 }),
    refreshToken: `rt_${unique}`,
    issuer,
    clientId: "client",
    loginOwnerId: unique,
    accountId: user.accountId,
    at: Date.now(),
  }, undefined);
}

/** The refresh token or key of a login: what may exist only once. */
export function secretOf(text: string): string {
  const { tokens, OPENAI_API_KEY } = JSON.parse(text);
  return tokens?.refresh_token ?? OPENAI_API_KEY;
}

/** Every login in this home by its file's name, none of them twice; what is no login of that form is left out. */
export async function loginsIn(home: TestHome): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const folder = join(home.path, "profiles");
  const names = await readdir(folder).catch(() => []);
  const kept = names.filter((name) => /^[^.].*\.json$/.test(name) && name !== "active.json");
  for (const path of [home.authPath, ...kept.map((name) => join(folder, name))]) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) found[path.slice(home.path.length + 1)] = secretOf(text);
  }
  const secrets = Object.values(found);
  assert.equal(
    new Set(secrets).size,
    secrets.length,
    `a login is there twice: ${Object.keys(found)}`,
  );
  return found;
}
