import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { type Endpoints, readEndpoints } from "./endpoints.ts";
import { LoginError } from "./errors.ts";
import { refuseOtherThanFolder, resolveHome } from "./home_folder.ts";
import type { HostStore } from "./host_store.ts";
import { DEFAULT_CLIENT_ID, DEFAULT_ISSUER, type Issuer, parseIssuer } from "./oauth/issuer.ts";
import { printable } from "./printable.ts";
import { readSettings, type Setting } from "./settings.ts";
import { VERSION } from "./version.ts";
import { environmentValue, type World } from "./world.ts";

/** Of the reference, for administrators; saying nothing about it would look like obeying it. */
export const REQUIREMENTS = "/etc/codex/requirements.toml";

/** Where a login is kept, or the program's own place for it. */
export type StoreChoice = "file" | "keyring" | "auto" | "ephemeral" | HostStore;

/** Everything that decides where a login goes and what it may be, resolved once. */
export interface Config extends Endpoints {
  /** CODEX_HOME, absolute. It need not exist. */
  readonly home: string;
  readonly logDir: string;
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly originator: string;
  readonly userAgent: string;
  readonly store: StoreChoice;
  readonly forcedLoginMethod: "chatgpt" | "api" | undefined;
  /** `forced_chatgpt_workspace_id`; empty for any. */
  readonly forcedWorkspaceIds: readonly string[];
  /** Of ChatGPT's own API, where the setting names it; not checked yet. */
  readonly chatgptBaseUrl: string | undefined;
  /** The issuer was named by the person, who may so be led to another origin that it names. */
  readonly isIssuerNamed: boolean;
  /** What was changed from outside and a person should know. */
  readonly notes: readonly string[];
}

export interface ConfigFlags {
  readonly codexHome?: string | undefined;
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  /** Each `key=value`, value in TOML or plain. */
  readonly overrides?: readonly string[] | undefined;
  /** For an editor's server the environment may name the issuer too. */
  readonly isServer?: boolean;
}

const Workspaces = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((ids) =>
    (typeof ids === "string" ? [ids] : ids).map((id) => id.trim()).filter((id) => id !== "")
  ),
);

/** The settings that are ours. All others belong to other programs. */
const Settings = v.object({
  cli_auth_credentials_store: v.optional(
    v.picklist(["file", "keyring", "auto", "ephemeral"]),
    "file",
  ),
  forced_login_method: v.optional(v.picklist(["chatgpt", "api"])),
  forced_chatgpt_workspace_id: v.optional(Workspaces, []),
  chatgpt_base_url: v.optional(v.pipe(v.string(), v.minLength(1))),
  log_dir: v.optional(v.pipe(v.string(), v.minLength(1))),
});

/** Their names in the files. */
export const SETTING_NAMES: readonly string[] = Object.keys(Settings.entries);

/** Client ids and originators go into addresses and headers: visible ASCII only. */
const Identifier = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,200}$/));

/**
 * Settles flags, environment and settings files.
 *
 * @throws {LoginError} CONFIG or ISSUER_INVALID
 */
export async function resolveConfig(world: World, flags: ConfigFlags): Promise<Config> {
  const home = resolveHome(world, flags.codexHome);
  await refuseOtherThanFolder(home);
  return settle(world, flags, home, await readSettings(home, flags.overrides ?? []));
}

/**
 * With settings that were read before.
 *
 * @throws {LoginError} CONFIG or ISSUER_INVALID
 */
export function settle(
  world: World,
  flags: ConfigFlags,
  home: string,
  found: ReadonlyMap<string, Setting>,
): Config {
  const settings = checkSettings(found);
  const notes: string[] = [];
  if (existsSync(REQUIREMENTS)) {
    notes.push(`${REQUIREMENTS} exists and is not evaluated by codex-login.`);
  }
  if (environmentValue(world, "NODE_TLS_REJECT_UNAUTHORIZED") === "0") {
    notes.push("NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect: certificates are always checked.");
  }
  const originator = identifier(
    environmentValue(world, "CODEX_INTERNAL_ORIGINATOR_OVERRIDE") ?? "codex_cli_rs",
    "CODEX_INTERNAL_ORIGINATOR_OVERRIDE",
  );
  const readServer = (name: string): string | undefined => {
    const value = flags.isServer ? environmentValue(world, name) : undefined;
    if (value !== undefined) notes.push(`${name} is used for new sign-ins.`);
    return value;
  };
  const namedIssuer = flags.issuer ?? readServer("CODEX_APP_SERVER_LOGIN_ISSUER");
  const clientId = flags.clientId ?? readServer("CODEX_APP_SERVER_LOGIN_CLIENT_ID");
  const issuer = parseIssuer(namedIssuer ?? DEFAULT_ISSUER);
  return {
    home,
    logDir: settings.log_dir
      ? resolve(baseOf(found.get("log_dir")), settings.log_dir)
      : join(home, "log"),
    issuer,
    isIssuerNamed: namedIssuer !== undefined,
    clientId: identifier(clientId ?? DEFAULT_CLIENT_ID, "The client id"),
    originator,
    userAgent: userAgent(originator, world),
    store: settings.cli_auth_credentials_store,
    forcedLoginMethod: settings.forced_login_method,
    forcedWorkspaceIds: settings.forced_chatgpt_workspace_id,
    chatgptBaseUrl: settings.chatgpt_base_url,
    // A server's variable names the issuer of new sign-ins only, and none of those is with a token that is asked about.
    ...readEndpoints(world, notes, flags.isServer ? parseIssuer(DEFAULT_ISSUER) : issuer),
    notes,
  };
}

/** What a relative path in a setting starts from: the folder of its file, or for `-c` where the person is. */
function baseOf(setting: Setting | undefined): string {
  return setting === undefined || setting.source === "-c" ? "." : dirname(setting.source);
}

function checkSettings(found: ReadonlyMap<string, Setting>): v.InferOutput<typeof Settings> {
  const values = Object.fromEntries([...found].map(([name, { value }]) => [name, value]));
  const parsed = v.safeParse(Settings, values);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const name = v.getDotPath(issue) ?? "";
  const source = found.get(name.split(".")[0] ?? "")?.source ?? "config.toml";
  throw new LoginError("CONFIG", `The setting ${name} cannot be used`, {
    reason: printable(
      `${source}: expected ${issue.expected ?? "another value"}, found ${issue.received}`,
    ),
  });
}

function identifier(value: string, name: string): string {
  if (v.is(Identifier, value)) return value;
  throw new LoginError("CONFIG", `${name} must be 1 to 200 visible ASCII characters`);
}

/** What a host says of itself, as it goes into addresses and headers. */
export interface HostIdentity {
  /** 1 to 200 visible ASCII characters and spaces. */
  readonly name: string;
  readonly version: string;
}

/** What can go into a header as it is. */
export function isHostName(name: string): boolean {
  return /^[\x20-\x7e]{1,200}$/.test(name);
}

/** The same settings, for sign-ins that this host asks for: the issuer counts it by its name. */
export function configForHost(world: World, config: Config, host: HostIdentity): Config {
  const originator = environmentValue(world, "CODEX_INTERNAL_ORIGINATOR_OVERRIDE") ?? host.name;
  const version = host.version.replace(/[^\x20-\x7e]/g, "_").slice(0, 60);
  return {
    ...config,
    originator,
    userAgent: `${userAgent(originator, world)} (${host.name}; ${version})`,
  };
}

/** As the reference forms it; whatever is not plain in the terminal's name becomes an underscore. */
function userAgent(originator: string, world: World): string {
  const program = environmentValue(world, "TERM_PROGRAM");
  const version = environmentValue(world, "TERM_PROGRAM_VERSION");
  const terminal = program
    ? program + (version ? `/${version}` : "")
    : environmentValue(world, "TERM") ?? "unknown";
  const safe = terminal.replace(/[^A-Za-z0-9\-_./]/g, "_").slice(0, 60);
  return `${originator}/${VERSION} (${world.platform}; ${process.arch}) ${safe}`;
}
