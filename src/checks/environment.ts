import { environmentValue, type World } from "../world.ts";
import {
  type Check,
  combine,
  type Examined,
  fail,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** What each of them can do to a program like this one, whether or not it does it to this build. */
const RUNTIME_VARIABLES: Readonly<Record<string, string>> = {
  BUN_OPTIONS: "can run foreign code in programs built with Bun",
  BUN_INSPECT: "makes programs built with Bun wait for a debugger, or talk to one",
  BUN_INSPECT_CONNECT_TO: "makes programs built with Bun talk to a debugger",
  BUN_ENABLE_CRASH_REPORTING: "sends reports of crashes to others, in programs built with Bun",
  BUN_CRASH_REPORT_URL: "sends reports of crashes to others, in programs built with Bun",
  BUN_BYTECODE_ORDER_OUT: "makes programs built with Bun write a file",
  BUN_BE_BUN: "makes the executable another program",
  NODE_OPTIONS: "can run foreign code in programs on Node and Deno, or let a debugger into them",
  NODE_TLS_REJECT_UNAUTHORIZED:
    "switches off the check of certificates in other programs; here it has no effect",
  BUN_CONFIG_VERBOSE_FETCH:
    "makes programs on Bun print what they send; here nothing is sent that way",
  NODE_DEBUG: "makes programs on Node print what they do",
  SSLKEYLOGFILE: "writes the keys of TLS connections into a file, in some programs",
  DENO_SERVE_ADDRESS: "makes servers of programs on Deno listen elsewhere; here it has no effect",
  DENO_V8_FLAGS: "changes the engine of programs on Deno",
  OTEL_DENO: "sends traces, with addresses in them, to others, in programs on Deno",
};
const PROXY_VARIABLES = ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY"];
/** Values that are addresses, names or paths. All others stay out: a name tells enough. */
const HARMLESS =
  /^CODEX_(HOME|CA_CERTIFICATE|INTERNAL_ORIGINATOR_OVERRIDE|(REFRESH|REVOKE)_TOKEN_URL_OVERRIDE|AUTHAPI_BASE_URL|APP_SERVER_LOGIN_(ISSUER|CLIENT_ID))$/;
/** A test run, or somebody's job, may have many. */
const MAX_NAMES = 20;

/** Environment variables that change what happens. */
export function environmentChecks({ world, hazard }: Examined): Check[] {
  return [
    { id: "environment.runtime", limitMs: FILES_MS, run: () => examineRuntime(world, hazard) },
    { id: "environment.proxy", limitMs: FILES_MS, run: () => examineProxies(world) },
    { id: "environment.codex", limitMs: FILES_MS, run: () => examineOwn(world) },
  ];
}

function examineRuntime(world: World, hazard: Examined["hazard"]): Finding {
  const findings = Object.entries(RUNTIME_VARIABLES).flatMap(([name, effect]) => {
    if (environmentValue(world, name) === undefined || name === hazard?.variable) return [];
    return [warn(`${name} ${effect}`, "not set", `unset ${name}`)];
  });
  if (hazard) {
    const { variable, effect } = hazard;
    findings.push(
      fail(
        `${variable} is set: ${effect}; no command but this one runs`,
        "not set",
        `unset ${variable}`,
      ),
    );
  }
  return findings.length > 0 ? combine(findings) : ok("no variable changes how the program runs");
}

function examineProxies(world: World): Finding {
  const found = PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()]).flatMap((name) => {
    const value = environmentValue(world, name);
    if (value === undefined) return [];
    return [`${name}=${/^no_/i.test(name) ? value : maskAddress(value)}`];
  });
  return found.length > 0 ? ok(found.join("; ")) : skip("no variable names a proxy");
}

function examineOwn(world: World): Finding {
  const names = Object.keys(world.env).filter((name) =>
    name.startsWith("CODEX_") && environmentValue(world, name) !== undefined
  ).sort();
  if (names.length === 0) return ok("no variable of codex is set");
  const told = names.slice(0, MAX_NAMES).map((name) => {
    const value = world.env[name] ?? "";
    return HARMLESS.test(name) ? `${name}=${maskAddress(value)}` : name;
  });
  const more = names.length > MAX_NAMES ? `; and ${names.length - MAX_NAMES} more` : "";
  return ok(`${told.join("; ")}${more}`);
}

/** An address without the user name, the password and the query that may be in it; other words as they are. */
function maskAddress(value: string): string {
  // A password may have any character in it, so it ends at the last sign that could end it.
  const at = value.lastIndexOf("@");
  const bare = value.slice(at + 1).replace(/[?#].*$/s, "");
  if (at < 0) return bare;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value)?.[0] ?? "";
  return `${scheme}***@${bare}`;
}
