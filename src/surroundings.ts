import { environmentValue, type World } from "./world.ts";

/** Where the program runs, as far as that decides where the browser is. */
export interface Surroundings {
  /** What was noticed, in words for people; empty on a desktop like any other. */
  readonly noticed: readonly string[];
  /** Whether a browser that is started here can be seen by the person. */
  readonly canOpenBrowser: boolean;
  /** The commands, or what else, that bring the browser's answer here from another machine. */
  readonly ways: readonly string[];
}

/** Whether a file exists, and what is in it: of the system, not of the person. */
export interface SystemFiles {
  exists(path: string): boolean;
  read(path: string): string;
}

const CI = [
  "GITHUB_ACTIONS",
  "GITLAB_CI",
  "BUILDKITE",
  "JENKINS_URL",
  "TF_BUILD",
  "TEAMCITY_VERSION",
];
const HOST = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]+:[0-9a-f:]*)$/i;
const USER = /^[\w][\w.-]{0,63}$/;

/**
 * Looks around in the environment. It decides what is said and whether a browser is opened, never whether a login is allowed.
 *
 * @param port where the login waits.
 */
export function detectSurroundings(
  world: Pick<World, "env" | "platform">,
  files: SystemFiles,
  port: number,
): Surroundings {
  const has = (name: string): boolean => environmentValue(world, name) !== undefined;
  const isLinux = world.platform === "linux";
  const isSsh = has("SSH_CONNECTION") || has("SSH_CLIENT") || has("SSH_TTY");
  const isCodespace = has("CODESPACES") || has("CODESPACE_NAME");
  const isRemoteEditor = has("REMOTE_CONTAINERS") || has("GITPOD_WORKSPACE_ID") ||
    has("VSCODE_IPC_HOOK_CLI");
  const isWsl = detectWsl(world, files);
  const isContainer = isLinux && (has("container") || has("KUBERNETES_SERVICE_HOST") ||
    ["/.dockerenv", "/run/.containerenv"].some((path) => files.exists(path)));
  const isCi = CI.some(has) || !["", "0", "false"].includes(world.env["CI"]?.toLowerCase() ?? "");
  const hasDisplay = !isLinux || isWsl || has("DISPLAY") || has("WAYLAND_DISPLAY");
  const noticed = [
    isSsh && "an SSH session",
    isCodespace ? "a Codespace" : isRemoteEditor && "an editor's remote terminal",
    isContainer && !isCodespace && "a container",
    isWsl && "WSL",
    isCi && "a CI job",
    !hasDisplay && "no display",
  ].filter((one) => one !== false);
  const isElsewhere = isSsh && (!isLinux || !hasDisplay);
  return {
    noticed,
    canOpenBrowser: hasDisplay && !isCi && !isElsewhere && !(isSsh && isWsl),
    ways: [
      ...(isCodespace ? [codespaceCommand(world, port)] : []),
      ...(isSsh ? [sshCommand(world, port)] : []),
    ],
  };
}

/** A Linux under Windows: the browser is on the other side. */
export function detectWsl(world: Pick<World, "env" | "platform">, files: SystemFiles): boolean {
  if (world.platform !== "linux") return false;
  return environmentValue(world, "WSL_DISTRO_NAME") !== undefined ||
    /microsoft/i.test(files.read("/proc/sys/kernel/osrelease"));
}

/** What to run on the machine with the browser, as exactly as the session tells. */
export function sshCommand(world: Pick<World, "env">, port: number): string {
  const [, , host = "", sshPort = ""] = (environmentValue(world, "SSH_CONNECTION") ?? "").split(
    " ",
  );
  const user = environmentValue(world, "USER") ?? environmentValue(world, "LOGNAME") ?? "";
  const target = HOST.test(host) && !/^(127\.|::1$)/.test(host) ? host : "THIS-HOST";
  const login = target !== "THIS-HOST" && USER.test(user) ? `${user}@${target}` : target;
  const through = /^\d{1,5}$/.test(sshPort) && sshPort !== "22" && login !== "THIS-HOST"
    ? ` -p ${sshPort}`
    : "";
  return `ssh -L ${port}:127.0.0.1:${port}${through} ${login}`;
}

function codespaceCommand(world: Pick<World, "env">, port: number): string {
  const name = environmentValue(world, "CODESPACE_NAME") ?? "";
  const which = /^[\w-]{1,100}$/.test(name) ? ` -c ${name}` : "";
  return `gh codespace ports forward ${port}:${port}${which}`;
}
