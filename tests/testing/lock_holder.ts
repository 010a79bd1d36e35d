import { spawn } from "node:child_process";

/** flock(1), a program by others, holding a lock until it is disposed of. */
export async function holdLock(path: string): Promise<AsyncDisposable> {
  const child = spawn("flock", [path, "sh", "-c", "echo held; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return {
    [Symbol.asyncDispose](): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
      return new Promise((resolve) => {
        child.once("exit", () => resolve());
        if (child.pid) process.kill(-child.pid, "SIGKILL");
      });
    },
  };
}
