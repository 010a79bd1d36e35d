import assert from "node:assert/strict";
import type { AppServerRun } from "./app_server_run.ts";
import { get } from "./http_client.ts";
import { NAVIGATION, visit } from "./fake_browser.ts";
import type { Endpoint, TestIssuer } from "./issuer.ts";
import { signJwt } from "./jwt.ts";
import { ADA, authClaim } from "./users.ts";

type Message = Record<string, unknown>;

/** What is said to a server, what it says, and what happens meanwhile, in this order. */
export type Step =
  | readonly ["->", Message | string]
  | readonly ["<-", Message]
  | readonly ["do", string];

export interface Transcript {
  readonly what: string;
  /** Of config.toml. */
  readonly config?: string;
  readonly args?: readonly string[];
  /** Something is stored at the end. */
  readonly stores?: boolean;
  readonly steps: readonly Step[];
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const FREE: Readonly<Record<string, (value: unknown) => boolean>> = {
  $text: (value) => typeof value === "string" && value !== "",
  $textOrNull: (value) => value === null || (typeof value === "string" && value !== ""),
  $time: (value) => Number.isSafeInteger(value),
  $jwt: (value) => typeof value === "string" && /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value),
  $code: (value) => typeof value === "string" && /^[A-Z_]+$/.test(value),
};
/** Bound anew each time. */
const LATEST: ReadonlySet<string> = new Set(["$authUrl", "$userCode"]);

/**
 * Goes through a transcript line by line. Names with a dollar stand for what is known when it runs; one that is not known yet
 * is a login's id, and stays what it is.
 */
export async function runTranscript(
  run: AppServerRun,
  issuer: TestIssuer,
  home: string,
  steps: readonly Step[],
): Promise<void> {
  const names = createNames(issuer, home);
  for (const [index, [kind, what]] of steps.entries()) {
    if (kind === "<-") {
      const message = await run.next();
      assert.deepEqual(message, names.meet(what, message), `step ${index}`);
    } else await doStep(run, issuer, names, [kind, what] as Step);
  }
}

/** Does what is no message of the server. */
export async function doStep(
  run: Pick<AppServerRun, "send">,
  issuer: TestIssuer,
  names: Names,
  [kind, what]: Step,
): Promise<void> {
  if (kind === "do") await act(what, issuer, names);
  else run.send(typeof what === "string" ? what : names.fill(what) as Message);
}

/** What the names with a dollar stand for. */
export interface Names {
  get(name: string): unknown;
  fill(value: unknown): unknown;
  /** The pattern with everything that fits filled in from the message, so that the two can be compared. */
  meet(pattern: unknown, value: unknown): unknown;
}

export function createNames(issuer: TestIssuer, home: string): Names {
  const known = new Map<string, unknown>([
    ["$accessToken", issuer.issue()["access_token"]],
    ["$staleToken", staleToken()],
    ["$home", home],
  ]);
  function fill(value: unknown): unknown {
    if (typeof value === "string") {
      if (known.has(value)) return known.get(value);
      return value.replaceAll("$issuer", issuer.url);
    }
    return mapMembers(value, fill);
  }
  function meet(pattern: unknown, value: unknown): unknown {
    if (typeof pattern !== "string" || !pattern.startsWith("$")) {
      if (typeof pattern === "string") return fill(pattern);
      return mapMembers(pattern, (inner, name) => meet(inner, memberOf(value, name)));
    }
    const isFree = FREE[pattern];
    if (isFree) return isFree(value) ? value : pattern;
    if (LATEST.has(pattern)) {
      if (value !== undefined) known.set(pattern, value);
      return typeof value === "string" ? value : pattern;
    }
    if (pattern.startsWith("$issuer")) return fill(pattern);
    if (!known.has(pattern) && UUID.test(String(value))) known.set(pattern, value);
    return known.get(pattern) ?? pattern;
  }
  return { get: (name) => known.get(name), fill, meet };
}

async function act(
  what: string,
  issuer: TestIssuer,
  known: Pick<Names, "get">,
): Promise<void> {
  const [, verb = "", endpoint, status, body = ""] =
    /^(\w+)(?: (\w+) (\d+)(?: (.*))?)?$/.exec(what) ?? [];
  const authUrl = String(known.get("$authUrl") ?? "");
  switch (verb) {
    case "visit":
      return void await visit(authUrl);
    case "deny": {
      const { searchParams } = new URL(authUrl);
      const answer = new URLSearchParams({
        error: "access_denied",
        state: searchParams.get("state") ?? "",
      });
      const callback = `${searchParams.get("redirect_uri")}?${answer}`;
      return void await get(callback, { headers: NAVIGATION });
    }
    case "enter":
      return issuer.enterCode(String(known.get("$userCode")));
    case "misbehave":
      issuer.misbehave[endpoint as Endpoint] = { status: Number(status), body };
      return;
    case "behave":
      for (const name of Object.keys(issuer.misbehave)) delete issuer.misbehave[name as Endpoint];
      return;
    default:
      throw new Error(`nobody knows how to ${what}`);
  }
}

/** Of the same person, but nothing that the issuer gave. */
function staleToken(): string {
  return signJwt({
    email: ADA.email,
    exp: 4_000_000_000,
    "https://api.openai.com/auth": authClaim(ADA),
  });
}

function mapMembers(value: unknown, change: (inner: unknown, name: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((inner, i) => change(inner, String(i)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, change(inner, name)]),
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
