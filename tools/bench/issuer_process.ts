/**
 * The test issuer in a process of its own, so that it takes no time of what is measured: `issuer_process.ts [KEY CERT]`. Commands
 * come as JSON lines on stdin and are answered in order on stdout; with a key and a certificate it is the real hosts, by a proxy.
 * It ends with its stdin.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Endpoint, startIssuer } from "../../tests/testing/issuer.ts";
import { startConnectProxy } from "./connect_proxy.ts";

export type IssuerCommand =
  /** Tokens as of a finished sign-in. */
  | { readonly do: "issue"; readonly lifetimeS: number }
  /** The callback that a sign-in at this address leads to. */
  | { readonly do: "walk"; readonly authUrl: string }
  | { readonly do: "count"; readonly endpoint: Endpoint }
  /** Seconds between the questions for a device code. */
  | { readonly do: "interval"; readonly seconds: number }
  /** Questions about this code so far. */
  | { readonly do: "polls"; readonly userCode: string };

const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path, "utf8"));
const isReal = key !== undefined && cert !== undefined;
const REAL = "https://auth.openai.com";
const issuer = await startIssuer(
  isReal ? { tls: { key, cert }, idTokenClaims: (claims) => ({ ...claims, iss: REAL }) } : {},
);
const proxy = isReal ? await startConnectProxy(Number(new URL(issuer.url).port)) : undefined;
say({ url: isReal ? REAL : issuer.url, proxy: proxy?.url });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ result: await obey(JSON.parse(line)) });
  } catch (thrown) {
    say({ error: String(thrown) });
  }
}
process.exit(0);

async function obey(command: IssuerCommand): Promise<unknown> {
  switch (command.do) {
    case "issue":
      return issuer.issue(undefined, command.lifetimeS);
    case "walk": {
      const { pathname, search } = new URL(command.authUrl);
      const own = new URL(`${pathname}${search}`, issuer.url.replace("localhost", "127.0.0.1"));
      const { headers } = await fetch(own, { redirect: "manual" });
      const callback = new URL(headers.get("location") ?? "");
      if (isReal) callback.searchParams.set("iss", REAL);
      return callback.href;
    }
    case "count":
      return issuer.asked(command.endpoint).length;
    case "interval":
      issuer.misbehave.deviceCode = {
        change: (answer) => ({ ...answer, interval: String(command.seconds) }),
      };
      return undefined;
    case "polls":
      return issuer.asked("devicePoll").filter(({ body }) => body.includes(command.userCode))
        .length;
  }
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
