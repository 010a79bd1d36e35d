import { runCli } from "../../src/cli.ts";
import { deferred } from "../../src/deferred.ts";
import type { World } from "../../src/world.ts";
import type { TestHome } from "./home.ts";
import type { TestIssuer } from "./issuer.ts";
import { createWorld, type TestWorld } from "./world.ts";

/** A login under way, in this process. */
export interface LoginRun {
  readonly world: TestWorld;
  /** Resolves when the address is shown. */
  readonly authUrl: Promise<string>;
  port(): Promise<number>;
  readonly exitCode: Promise<number>;
}

/** Starts `codex-login login` in this process, on a free port, with everything but the terminal real. */
export async function startLogin(
  home: TestHome,
  issuer: TestIssuer,
  args: readonly string[] = [],
  changes: Partial<World> = {},
): Promise<LoginRun> {
  const shown = deferred<string>();
  const world = await createWorld({
    env: { DISPLAY: ":0", XDG_RUNTIME_DIR: home.path },
    ...changes,
  });
  const watched: TestWorld = {
    ...world,
    writeWords(text): void {
      world.writeWords(text);
      if (text.startsWith(`${issuer.url}/oauth/authorize?`)) shown.resolve(text);
    },
  };
  const exitCode = runCli(
    ["login", "--port", "0", "--issuer", issuer.url, "--codex-home", home.path, ...args],
    watched,
  );
  exitCode.then((code) => shown.reject(new Error(`ended with ${code}: ${world.words.join("\n")}`)));
  shown.promise.catch(() => {});
  return {
    world,
    authUrl: shown.promise,
    async port(): Promise<number> {
      const redirect = new URL(await shown.promise).searchParams.get("redirect_uri") ?? "";
      return Number(new URL(redirect).port);
    },
    exitCode,
  };
}
