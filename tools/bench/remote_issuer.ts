import { join } from "node:path";
import type { Endpoint } from "../../tests/testing/issuer.ts";
import { ROOT } from "../../tests/testing/program.ts";
import { ADA } from "../../tests/testing/users.ts";
import { bunPath } from "../bun_path.ts";
import type { Certificate } from "./certificate.ts";
import type { IssuerCommand } from "./issuer_process.ts";
import { startRunning } from "./running.ts";

/** The test issuer in another process. */
export interface RemoteIssuer extends AsyncDisposable {
  readonly url: string;
  /** What leads a program to it. */
  readonly environment: Readonly<Record<string, string>>;
  walk(authUrl: string): Promise<string>;
  count(endpoint: Endpoint): Promise<number>;
  setInterval(seconds: number): Promise<void>;
  /** Questions about this device code so far. */
  countPolls(userCode: string): Promise<number>;
  /** What a sign-in would have left in auth.json. */
  login(lifetimeS: number): Promise<Record<string, unknown>>;
}

/** @param certificate makes it the real issuer, for programs that take no other. */
export async function startRemoteIssuer(
  cwd: string,
  certificate?: Certificate,
): Promise<RemoteIssuer> {
  const files = certificate ? [certificate.keyPath, certificate.certPath] : [];
  const lines: string[] = [];
  let wake = (): void => {};
  let partial = "";
  const decoder = new TextDecoder();
  const running = startRunning({
    command: [bunPath(), join(ROOT, "tools/bench/issuer_process.ts"), ...files],
    // The walk goes from it to itself, whose certificate is for others.
    env: { PATH: process.env["PATH"] ?? "", NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    cwd,
    keepsStdin: true,
    onStdout(chunk): void {
      const parts = (partial + decoder.decode(chunk, { stream: true })).split("\n");
      partial = parts.pop() ?? "";
      lines.push(...parts);
      wake();
    },
  });
  async function next(): Promise<{ result?: unknown; error?: string; [name: string]: unknown }> {
    while (lines.length === 0) {
      await new Promise<void>((resolve) => wake = resolve);
    }
    return JSON.parse(lines.shift() ?? "");
  }
  let last: Promise<unknown> = Promise.resolve();
  /** One after another: the answers carry no number. */
  function ask<T>(command: IssuerCommand): Promise<T> {
    const answer = last.then(async () => {
      running.write(`${JSON.stringify(command)}\n`);
      const { result, error } = await next();
      if (error !== undefined) throw new Error(`the issuer: ${error}`);
      return result as T;
    });
    last = answer.catch(() => {});
    return answer;
  }
  const { url, proxy } = await next() as { url: string; proxy?: string };
  return {
    url,
    environment: certificate && proxy
      ? { HTTPS_PROXY: proxy, CODEX_CA_CERTIFICATE: certificate.caPath }
      : {
        CODEX_APP_SERVER_LOGIN_ISSUER: url,
        CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${url}/oauth/token`,
        CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${url}/oauth/revoke`,
      },
    walk: (authUrl) => ask({ do: "walk", authUrl }),
    count: (endpoint) => ask({ do: "count", endpoint }),
    setInterval: (seconds) => ask({ do: "interval", seconds }),
    countPolls: (userCode) => ask({ do: "polls", userCode }),
    async login(lifetimeS): Promise<Record<string, unknown>> {
      const issued = await ask<Record<string, string>>({ do: "issue", lifetimeS });
      const { id_token, access_token, refresh_token } = issued;
      return {
        auth_mode: "chatgpt",
        OPENAI_API_KEY: null,
        tokens: {
          ...{ id_token, access_token, refresh_token },
          oauth_provenance: { issuer: url, client_id: "app_EMoamEEZ73f0CkXaXp7hrann" },
          account_id: ADA.accountId,
        },
        last_refresh: new Date().toISOString().replace("Z", "000000Z"),
      };
    },
    [Symbol.asyncDispose]: () => running.stop(),
  };
}
