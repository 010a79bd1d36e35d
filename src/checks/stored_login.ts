import { readActiveName } from "../credentials/active_profile.ts";
import { type Credentials, parseAuthFile } from "../credentials/auth_file.ts";
import { resolveAuthPath } from "../credentials/auth_path.ts";
import { createKeyring } from "../credentials/keyring.ts";
import { describeMode } from "../credentials/mode_words.ts";
import { isEntryOlder } from "../credentials/older_entry.ts";
import { openStore } from "../credentials/open_store.ts";
import { listProfileNames, readProfile } from "../credentials/profile_folder.ts";
import { readCredentials } from "../credentials/stored_file.ts";
import { toLoginError } from "../errors.ts";
import { DEFAULT_ISSUER } from "../oauth/issuer.ts";
import { maskKey } from "../printable.ts";
import { formatRfc3339 } from "../rfc3339.ts";
import { isJwt, judgeStored, readOverride } from "../sign_in.ts";
import { readTokenExpiry } from "../token_expiry.ts";
import {
  type Check,
  combine,
  type Examined,
  fail,
  failWith,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** The keyring has a limit of its own; this one is for what hangs all the same. In ms. */
export const KEYRING_MS = 5_000;

/** The login that is stored: what it is, whether it counts, and whether there is another copy that could come back. */
export function storedLoginChecks(examined: Examined): Check[] {
  const { hazard, config } = examined;
  const reading = (
    id: string,
    limitMs: number,
    run: () => Promise<Finding>,
    needs?: string,
  ): Check => ({
    id,
    limitMs,
    ...(needs === undefined ? {} : { needs }),
    run: () => {
      if (hazard) return skip(`not read, because ${hazard.variable} is set: ${hazard.effect}`);
      if (config.home === "") return skip("nobody knows where the home folder is");
      return run();
    },
  });
  return [
    reading("login.stored", KEYRING_MS, () => examineStored(examined)),
    { id: "login.override", limitMs: FILES_MS, run: () => examineOverride(examined) },
    reading("login.copies", KEYRING_MS, () => examineCopies(examined), "home.auth_file"),
    reading("login.profiles", FILES_MS, () => examineProfiles(examined), "home.auth_file"),
  ];
}

/** The issuer that the stored login is from; undefined when there is none, or it cannot be read. Never asks the keyring. */
export async function storedIssuer({ config, hazard }: Examined): Promise<string | undefined> {
  if (hazard || config.home === "") return undefined;
  try {
    const { target } = await resolveAuthPath(config.home, "CREDENTIALS_UNREADABLE");
    const tokens = (await readCredentials(target))?.tokens;
    return tokens && (tokens.oauth_provenance?.issuer ?? DEFAULT_ISSUER);
  } catch {
    return undefined;
  }
}

async function examineStored({ world, config }: Examined): Promise<Finding> {
  const expected = "a login that can be read";
  try {
    const store = await openStore(world, config);
    const notes: string[] = [];
    const stored = await store.load((note) => void notes.push(note));
    const place = store.path ?? "the keyring";
    const more = notes.map((note) => ` ${note}`).join("");
    if (!stored) {
      return warn(`nobody is signed in (${place}).${more}`, "a login", "codex-login");
    }
    const found = judgeLogin(config, stored, world.now());
    return { ...found, measured: `${found.measured} In ${place}.${more}` };
  } catch (thrown) {
    return failWith(toLoginError(thrown), expected);
  }
}

function judgeLogin(config: Examined["config"], stored: Credentials, now: number): Finding {
  const { isSignedIn, mode, account, forbiddenBy } = judgeStored(config, stored, now);
  const what = `${describeMode(stored.mode)}${describeWhat(stored, account?.plan)}`;
  if (forbiddenBy) {
    return fail(
      `${what}, which the setting ${forbiddenBy} does not allow.`,
      "a login that the settings allow",
      "codex-login",
    );
  }
  if (!isSignedIn || mode === null) {
    return fail(
      `${what}, with nothing in it that could be used.${describeExpiry(stored, now)}`,
      "a login that can be used",
      "codex-login",
    );
  }
  return ok(`${what}.${describeExpiry(stored, now)}`);
}

/** Enough to know it again; whose it is stays out, since people send this to others. */
function describeWhat({ apiKey, personalAccessToken, mode }: Credentials, plan?: string): string {
  if (mode === "apikey") return ` ${maskKey(apiKey ?? "")}`;
  if (mode === "personalAccessToken") return ` ${maskKey(personalAccessToken ?? "")}`;
  return plan === undefined ? "" : ` (plan ${plan})`;
}

function describeExpiry({ tokens, mode }: Credentials, now: number): string {
  if (!tokens || !mode.startsWith("chatgpt")) return "";
  const expiry = readTokenExpiry(tokens.access_token);
  if (expiry === undefined) return " The access token does not say when it expires.";
  const renewal = tokens.refresh_token === ""
    ? "; nothing is there to renew it with"
    : "; it is renewed at its next use";
  return expiry <= now
    ? ` The access token expired at ${formatRfc3339(expiry)}${renewal}.`
    : ` The access token is valid until ${formatRfc3339(expiry)}.`;
}

function examineOverride({ world, config }: Examined): Finding {
  const override = readOverride(world, config);
  if (!override) return ok("no variable takes the place of what is stored");
  const { variable, token, isSignedIn } = override;
  const kind = token.startsWith("at-")
    ? "a personal access token"
    : isJwt(token)
    ? "a JWT"
    : "neither a personal access token nor a JWT";
  const measured = `${variable} is set (${kind}): programs use it instead of what is stored`;
  const remedy = `unset ${variable}, if that is not meant`;
  if (isSignedIn) return warn(measured, "not set, unless that is meant", remedy);
  return fail(
    `${measured}, and it cannot be used`,
    "a token that is valid and allowed",
    `unset ${variable}`,
  );
}

/** The same login in two places is one that comes back after a logout, or that is used up in one of them. */
async function examineCopies({ world, config: { home, store } }: Examined): Promise<Finding> {
  if (store === "ephemeral" || typeof store === "object") return skip("nothing is stored here");
  const { path, target } = await resolveAuthPath(home);
  const isInFile = await readCredentials(target).then((found) => found !== undefined, () => true);
  let obstacle = "";
  const text = await createKeyring(world, home).look(({ reason, message }) => {
    obstacle = reason ?? message;
  });
  const isInKeyring = text !== undefined && isLogin(text);
  if (obstacle !== "") return skip(`the keyring could not be looked into: ${obstacle}`);
  if (!isInFile || !isInKeyring) {
    return ok(isInKeyring ? "only in the keyring" : isInFile ? `only in ${path}` : "there is none");
  }
  if (store === "file") {
    return warn(
      `beside ${path} there is a login in the keyring, which is ignored`,
      "one copy",
      "codex-login logout ends both; then codex-login signs in anew",
    );
  }
  return warn(
    await isEntryOlder(home)
      ? `${path} is newer than the login in the keyring, and counts`
      : `beside the login in the keyring there is ${path}, which is ignored`,
    "one copy",
    "codex-login refresh, which keeps the one that counts",
  );
}

function isLogin(text: string): boolean {
  try {
    return parseAuthFile(text) !== undefined;
  } catch {
    return true;
  }
}

async function examineProfiles({ config: { home } }: Examined): Promise<Finding> {
  try {
    const names = await listProfileNames(home);
    const broken: Finding[] = [];
    for (const name of names) {
      await readProfile(home, name).catch((thrown) => {
        broken.push(failWith(toLoginError(thrown), "profiles that can be read"));
      });
    }
    if (broken.length > 0) return combine(broken);
    const { target } = await resolveAuthPath(home, "CREDENTIALS_UNREADABLE");
    const current = await readCredentials(target).catch(() => undefined);
    const active = current && await readActiveName(home, current);
    const kept = names.length > 0 ? `kept: ${names.join(", ")}` : "none is kept";
    return ok(active ? `in use: ${active.name}; ${kept}` : kept);
  } catch (thrown) {
    return failWith(toLoginError(thrown), "profiles that can be read");
  }
}
