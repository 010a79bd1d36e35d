/** Milliseconds between two looks. */
const LOOK_MS = 250;

/**
 * npx starts a program through a shell, and hands SIGTERM to that: the shell ends of it and tells the program nothing, which
 * would go on waiting, and keep its port, with nobody left who knows of it. So the shell is watched.
 *
 * @param gone is called when the shell has ended.
 */
export function watchNpxShell(
  env: Readonly<Record<string, string | undefined>>,
  gone: () => void,
): void {
  if (env["npm_lifecycle_event"] !== "npx") return;
  const shell = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(looking);
    gone();
  }, LOOK_MS);
  looking.unref();
}
