import assert from "node:assert/strict";
import { test } from "node:test";
import { detectSurroundings, type SystemFiles } from "../src/surroundings.ts";

const SSH = { SSH_CONNECTION: "203.0.113.9 50522 198.51.100.7 22", SSH_TTY: "/dev/pts/0" };
const LINE = "ssh -L 1455:127.0.0.1:1455 ada@198.51.100.7";

interface Row {
  readonly what: string;
  readonly platform?: string;
  readonly env: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly noticed: string[];
  readonly opens: boolean;
  readonly ways?: string[];
}

/** Environments as they were found, each without what does not matter here. */
const ROWS: readonly Row[] = [
  {
    what: "a desktop on X11",
    env: { DISPLAY: ":0", XDG_SESSION_TYPE: "x11" },
    noticed: [],
    opens: true,
  },
  {
    what: "a desktop on Wayland",
    env: { WAYLAND_DISPLAY: "wayland-0", XDG_SESSION_TYPE: "wayland" },
    noticed: [],
    opens: true,
  },
  {
    what: "macOS",
    platform: "darwin",
    env: { TERM_PROGRAM: "Apple_Terminal" },
    noticed: [],
    opens: true,
  },
  { what: "Windows", platform: "win32", env: { WT_SESSION: "x" }, noticed: [], opens: true },
  { what: "a server's console", env: { TERM: "linux" }, noticed: ["no display"], opens: false },
  {
    what: "a server over SSH",
    env: { ...SSH, USER: "ada" },
    noticed: ["an SSH session", "no display"],
    opens: false,
    ways: [LINE],
  },
  {
    what: "SSH on another port, over IPv6",
    env: { SSH_CONNECTION: "2001:db8::1 50522 2001:db8::7 2222", LOGNAME: "ada" },
    noticed: ["an SSH session", "no display"],
    opens: false,
    ways: ["ssh -L 1455:127.0.0.1:1455 -p 2222 ada@2001:db8::7"],
  },
  {
    what: "SSH through a tunnel",
    env: { SSH_CONNECTION: "127.0.0.1 50522 127.0.0.1 22", USER: "ada" },
    noticed: ["an SSH session", "no display"],
    opens: false,
    ways: ["ssh -L 1455:127.0.0.1:1455 THIS-HOST"],
  },
  {
    what: "SSH with X11 forwarding",
    env: { ...SSH, USER: "ada", DISPLAY: "localhost:10.0" },
    noticed: ["an SSH session"],
    opens: true,
    ways: [LINE],
  },
  {
    what: "SSH to a Mac",
    platform: "darwin",
    env: { ...SSH, USER: "ada" },
    noticed: ["an SSH session"],
    opens: false,
    ways: [LINE],
  },
  {
    what: "sudo within SSH, which keeps only the terminal",
    env: { SSH_TTY: "/dev/pts/0", USER: "root" },
    noticed: ["an SSH session", "no display"],
    opens: false,
    ways: ["ssh -L 1455:127.0.0.1:1455 THIS-HOST"],
  },
  {
    what: "an environment that somebody prepared",
    env: { SSH_CONNECTION: "x y $(reboot) 22;id", USER: "a;b\x1b[31m" },
    noticed: ["an SSH session", "no display"],
    opens: false,
    ways: ["ssh -L 1455:127.0.0.1:1455 THIS-HOST"],
  },
  {
    what: "WSL 2",
    env: { WSL_DISTRO_NAME: "Ubuntu", WSL_INTEROP: "/run/x" },
    noticed: ["WSL"],
    opens: true,
  },
  {
    what: "WSL after sudo",
    env: {},
    files: { "/proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n" },
    noticed: ["WSL"],
    opens: true,
  },
  {
    what: "SSH into WSL",
    env: { ...SSH, USER: "ada", WSL_DISTRO_NAME: "Ubuntu" },
    noticed: ["an SSH session", "WSL"],
    opens: false,
    ways: [LINE],
  },
  {
    what: "docker run",
    env: { HOSTNAME: "4f2a" },
    files: { "/.dockerenv": "" },
    noticed: ["a container", "no display"],
    opens: false,
  },
  {
    what: "podman run",
    env: { container: "podman" },
    files: { "/run/.containerenv": "" },
    noticed: ["a container", "no display"],
    opens: false,
  },
  {
    what: "toolbox on a desktop",
    env: { container: "oci", WAYLAND_DISPLAY: "wayland-0" },
    noticed: ["a container"],
    opens: true,
  },
  {
    what: "a pod",
    env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" },
    noticed: ["a container", "no display"],
    opens: false,
  },
  {
    what: "a devcontainer",
    env: { REMOTE_CONTAINERS: "true", VSCODE_IPC_HOOK_CLI: "/tmp/x.sock" },
    files: { "/.dockerenv": "" },
    noticed: ["an editor's remote terminal", "a container", "no display"],
    opens: false,
  },
  {
    what: "a Codespace",
    env: { CODESPACES: "true", CODESPACE_NAME: "fuzzy-lamp-x4", VSCODE_IPC_HOOK_CLI: "/tmp/x" },
    files: { "/.dockerenv": "" },
    noticed: ["a Codespace", "no display"],
    opens: false,
    ways: ["gh codespace ports forward 1455:1455 -c fuzzy-lamp-x4"],
  },
  {
    what: "Gitpod",
    env: { GITPOD_WORKSPACE_ID: "x" },
    noticed: ["an editor's remote terminal", "no display"],
    opens: false,
  },
  {
    what: "an editor's terminal over SSH",
    env: { ...SSH, USER: "ada", VSCODE_IPC_HOOK_CLI: "/tmp/x" },
    noticed: ["an SSH session", "an editor's remote terminal", "no display"],
    opens: false,
    ways: [LINE],
  },
  {
    what: "GitHub Actions",
    env: { CI: "true", GITHUB_ACTIONS: "true" },
    noticed: ["a CI job", "no display"],
    opens: false,
  },
  {
    what: "a CI job with a display",
    env: { CI: "1", DISPLAY: ":99" },
    noticed: ["a CI job"],
    opens: false,
  },
  { what: "CI=false", env: { CI: "false", DISPLAY: ":0" }, noticed: [], opens: true },
  {
    what: "variables that are empty",
    env: { SSH_CONNECTION: "", CI: "", WSL_DISTRO_NAME: "", DISPLAY: "", CODESPACES: "" },
    noticed: ["no display"],
    opens: false,
  },
];

for (const { what, platform = "linux", env, files = {}, noticed, opens, ways = [] } of ROWS) {
  test(`detectSurroundings(): ${what}`, () => {
    const system: SystemFiles = {
      exists: (path) => Object.hasOwn(files, path),
      read: (path) => files[path] ?? "",
    };
    const found = detectSurroundings({ env, platform }, system, 1455);
    assert.deepEqual(found, { noticed, canOpenBrowser: opens, ways });
  });
}
