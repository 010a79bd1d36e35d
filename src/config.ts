import { isVisibleAscii } from "./ascii.ts";
import { childPath } from "./child_path.ts";
import { type Endpoints, readEndpoints } from "./endpoints.ts";
import { LoginError } from "./errors.ts";
import { refuseOtherThanFolder, resolveHome } from "./home_folder.ts";
import type { HostStore } from "./host_store.ts";
import { DEFAULT_CLIENT_ID, type Issuer, parseIssuer, USUAL_ISSUER } from "./oauth/issuer.ts";
import { type OwnSettings, readSettings, type Setting } from "./settings.ts";
import { hasFile } from "./small_file.ts";
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

/** What holds where nothing is set, as most often: then no schema is built. A test holds it to the schema. */
export const DEFAULTS: OwnSettings = {
  cli_auth_credentials_store: "file",
  forced_chatgpt_workspace_id: [],
};

/**
 * Settles flags, environment and settings files.
 *
 * @throws {LoginError} CONFIG or ISSUER_INVALID
 */
export async function resolveConfig(world: World, flags: ConfigFlags): Promise<Config> {
  const home = await resolveHome(world, flags.codexHome);
  await refuseOtherThanFolder(home);
  const settings = await readSettings(home, flags.overrides ?? []);
  const hasRequirements = await hasFile(REQUIREMENTS);
  return await settle(world, flags, home, settings, hasRequirements);
}

/**
 * With settings that were read before.
 *
 * @throws {LoginError} CONFIG or ISSUER_INVALID
 */
export async function settle(
  world: World,
  flags: ConfigFlags,
  home: string,
  found: ReadonlyMap<string, Setting>,
  hasRequirements: boolean,
): Promise<Config> {
  const settings = found.size === 0
    ? DEFAULTS
    : (await import("./own_settings.ts")).checkSettings(found);
  const notes: string[] = [];
  if (hasRequirements) {
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
  const issuer = namedIssuer === undefined ? USUAL_ISSUER : parseIssuer(namedIssuer);
  return {
    home,
    logDir: settings.log_dir
      ? await resolveFrom(found.get("log_dir"), settings.log_dir)
      : childPath(home, "log"),
    issuer,
    isIssuerNamed: namedIssuer !== undefined,
    clientId: identifier(clientId ?? DEFAULT_CLIENT_ID, "The client id"),
    originator,
    get userAgent(): string {
      return userAgent(originator, world);
    },
    store: settings.cli_auth_credentials_store,
    forcedLoginMethod: settings.forced_login_method,
    forcedWorkspaceIds: settings.forced_chatgpt_workspace_id,
    chatgptBaseUrl: settings.chatgpt_base_url,
    // A server's variable names the issuer of new sign-ins only, and none of those is with a token that is asked about.
    ...readEndpoints(world, notes, flags.isServer ? USUAL_ISSUER : issuer),
    notes,
  };
}

/** A relative path in a setting starts from the folder of its file, or for `-c` from where the person is. */
async function resolveFrom(setting: Setting | undefined, path: string): Promise<string> {
  const { dirname, resolve } = await import("node:path");
  const isTyped = setting === undefined || setting.source === "-c";
  return resolve(isTyped ? "." : dirname(setting.source), path);
}

/** Client ids and originators go into addresses and headers. */
function identifier(value: string, name: string): string {
  if (value.length >= 1 && value.length <= 200 && isVisibleAscii(value)) return value;
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
