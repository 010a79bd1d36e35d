import { existsSync } from "node:fs";
import type { TestHome } from "../testing/home.ts";
import type { TestIssuer } from "../testing/issuer.ts";
import {
  type Ended,
  type Program,
  runProgram,
  type StartOptions,
  startProgram,
} from "../testing/program.ts";

/** Codex CLI itself, put there by `npm run test:interop`. It is a test peer and nothing of the program. */
export const PATH = process.env["CODEX_REFERENCE"] ?? "";
if (!existsSync(PATH)) {
  throw new Error("CODEX_REFERENCE names no program: use npm run test:interop");
}

/** Everything that it would ask of the real issuer goes to loopback, and the rest to a port where nobody listens. */
function environment(issuer: TestIssuer): Record<string, string> {
  return {
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token`,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/revoke`,
    CODEX_APP_SERVER_LOGIN_ISSUER: issuer.url,
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1,localhost",
  };
}

/** Runs `codex …` to its end. */
export async function runReference(
  home: TestHome,
  issuer: TestIssuer,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  return await runProgram(home, args, referenceOptions(issuer, options));
}

export function startReference(
  home: TestHome,
  issuer: TestIssuer,
  args: readonly string[],
  options: StartOptions = {},
): Program {
  return startProgram(home, args, referenceOptions(issuer, options));
}

function referenceOptions(issuer: TestIssuer, options: StartOptions): StartOptions {
  return { ...options, program: [PATH], env: { ...environment(issuer), ...options.env } };
}

/** Asks its app-server for a renewed token; undefined when it has none to give. */
export async function refreshByReference(
  home: TestHome,
  issuer: TestIssuer,
): Promise<string | undefined> {
  const initialize = {
    id: 0,
    method: "initialize",
    params: { clientInfo: { name: "interop", version: "1" } },
  };
  const status = {
    id: 1,
    method: "getAuthStatus",
    params: { includeToken: true, refreshToken: true },
  };
  await using program = startReference(home, issuer, ["app-server"], { keepsStdin: true });
  const write = (message: unknown): void =>
    void program.child.stdin?.write(`${JSON.stringify(message)}\n`);
  write(initialize);
  await program.shows(/"id":0/);
  write({ method: "initialized" });
  write(status);
  const [line] = await program.shows(/^.*"id":1.*$/m);
  program.child.stdin?.end();
  await program.ended;
  return JSON.parse(line).result?.authToken ?? undefined;
}
