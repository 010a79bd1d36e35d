import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingTool } from "./tools.ts";

/** A D-Bus session with an unlocked gnome-keyring of its own. */
export interface SecretService extends AsyncDisposable {
  /** What a program needs to find it. */
  readonly env: Record<string, string>;
  /** What secret-tool(1) tells of our entries: attributes, label and secret. */
  search(): string;
  /** Locks the collection that entries are in. */
  lock(): void;
  /** Makes it hang until the end. */
  stop(): void;
}

/** Why a test that needs it is skipped. */
export const MISSING_SECRET_SERVICE: string | false = missingTool(
  "dbus-run-session",
  "--version",
) || missingTool("gnome-keyring-daemon", "--version") || missingTool("secret-tool") ||
  missingTool("gdbus", "help");

const SCRIPT = `printf password |
  gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
gdbus wait --session --timeout 30 org.freedesktop.secrets
echo "$DBUS_SESSION_BUS_ADDRESS $!"
read -r _
kill -CONT $!; kill $!`;

export async function startSecretService(): Promise<SecretService> {
  const home = await mkdtemp(join(tmpdir(), "codex-login-keyring-"));
  const path = process.env["PATH"] ?? "";
  const session = spawn("dbus-run-session", ["--", "sh", "-c", SCRIPT], {
    env: { PATH: path, HOME: home, XDG_RUNTIME_DIR: home },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = once(session, "exit");
  const [line] = await once(session.stdout, "data");
  const [address = "", pid = ""] = String(line).trim().split(" ");
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  const run = (program: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(program, args, {
      env: { PATH: path, HOME: home, ...env },
      encoding: "utf8",
    });
    return `${stdout}${stderr}`;
  };
  return {
    env,
    search: () => run("secret-tool", "search", "--all", "--unlock", "service", "Codex Auth"),
    lock: () =>
      void run(
        "gdbus",
        "call",
        "--session",
        "--dest=org.freedesktop.secrets",
        "--object-path=/org/freedesktop/secrets",
        "--method=org.freedesktop.Secret.Service.Lock",
        "['/org/freedesktop/secrets/collection/login']",
      ),
    stop: () => void process.kill(Number(pid), "SIGSTOP"),
    async [Symbol.asyncDispose](): Promise<void> {
      session.stdin.end("\n");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
