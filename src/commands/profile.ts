import { readAccount } from "../account.ts";
import type { Config } from "../config.ts";
import type { Credentials } from "../credentials/auth_file.ts";
import { describeMode } from "../credentials/mode_words.ts";
import { LoginError } from "../errors.ts";
import { formatJson } from "../json.ts";
import { maskKey } from "../printable.ts";
import { listProfiles, type Profile } from "../profile_list.ts";
import { saveProfile, useProfile } from "../profiles.ts";
import { removeProfile } from "../remove_profile.ts";
import { environmentValue } from "../world.ts";
import { accountJson, describeAccount } from "../account_words.ts";
import type { CommandContext } from "./command.ts";
import { describeRevocation, revocationJson } from "../revocation_words.ts";

/** Words to one of four use cases, and what each gives to words or JSON. */
export async function runProfile(context: CommandContext): Promise<number> {
  const [action = "", name = ""] = context.words;
  if (context.options.flag("local-only") && action !== "remove") {
    throw new LoginError("USAGE", `--local-only does not belong to "profile ${action}"`, {
      hint: "codex-login profile --help",
    });
  }
  if (action === "list") await list(context);
  else {
    await context.world.runtime.protectMemory();
    await ({ use, save, remove }[action] ?? use)(context, name);
  }
  return 0;
}

async function list({ world, config, json, say, answer }: CommandContext): Promise<void> {
  const profiles = await listProfiles(world, config, say);
  if (json) return world.writeData(formatJson({ profiles: profiles.map(profileJson) }));
  if (profiles.length === 0) answer("There are no profiles, and nobody is signed in.");
  const width = Math.max(...profiles.map(({ name }) => nameOf(name).length));
  for (const { name, isActive, login } of profiles) {
    answer(`${isActive ? "*" : " "} ${nameOf(name).padEnd(width)}  ${describeLogin(login)}`);
  }
  if (profiles.some(({ name }) => name === null)) {
    say("To name the login in use: codex-login profile save NAME");
  }
}

async function save({ world, config, json, say }: CommandContext, name: string): Promise<void> {
  const { credentials } = await saveProfile(world, config, name, say);
  if (json) return world.writeData(formatJson({ name, account: accountOf(credentials) }));
  say(`The login in use is now called "${name}": ${describeLogin(credentials)}.`);
}

async function use({ world, config, json, say }: CommandContext, name: string): Promise<void> {
  const { credentials, former, isChanged } = await useProfile(world, config, name, say);
  if (json) {
    world.writeData(
      formatJson({ name, former, changed: isChanged, account: accountOf(credentials) }),
    );
  } else if (isChanged) {
    say(`Now in use: "${name}", ${describeLogin(credentials)}.`);
    if (former !== null) say(`The login before is kept as "${former}".`);
  } else say(`"${name}" is already in use: ${describeLogin(credentials)}.`);
  if (environmentValue(world, "CODEX_ACCESS_TOKEN")) {
    say("CODEX_ACCESS_TOKEN is set: programs use it instead of this login.");
  }
}

async function remove(
  { world, config, options, json, say }: CommandContext,
  name: string,
): Promise<void> {
  tellNotes(config, say);
  const { local, revocation } = await removeProfile(world, config, name, {
    localOnly: options.flag("local-only"),
    tell: say,
  });
  if (json) {
    return world.writeData(
      formatJson({ name, removed: local === "removed", ...revocationJson(revocation) }),
    );
  }
  say(
    local === "removed"
      ? `The profile "${name}" was removed from this machine.`
      : `The profile "${name}" was changed meanwhile; it is kept.`,
  );
  for (const line of describeRevocation(revocation)) say(line);
}

function tellNotes({ notes }: Config, say: (text: string) => void): void {
  for (const note of notes) say(note);
}

function profileJson({ name, isActive, login }: Profile): Record<string, unknown> {
  const isDamaged = login instanceof LoginError;
  return {
    name,
    active: isActive,
    authMode: isDamaged ? null : login.mode,
    account: isDamaged ? null : accountOf(login),
    error: isDamaged ? login.code : null,
  };
}

function accountOf({ mode, tokens, idTokenClaims }: Credentials): Record<string, unknown> | null {
  return tokens && mode.startsWith("chatgpt") ? accountJson(readAccount(idTokenClaims)) : null;
}

function describeLogin(login: Credentials | LoginError): string {
  if (login instanceof LoginError) return `cannot be used (${login.code}): ${login.message}`;
  const { mode, apiKey, personalAccessToken, tokens, idTokenClaims } = login;
  if (mode === "apikey" && apiKey) return `API key ${maskKey(apiKey)}`;
  if (mode === "personalAccessToken" && personalAccessToken) {
    return `personal access token ${maskKey(personalAccessToken)}`;
  }
  if (!tokens || !mode.startsWith("chatgpt")) return describeMode(mode);
  const whom = describeAccount(readAccount(idTokenClaims));
  return mode === "chatgpt" ? whom : `${whom}, by ${describeMode(mode)}`;
}

function nameOf(name: string | null): string {
  return name ?? "(no name)";
}
