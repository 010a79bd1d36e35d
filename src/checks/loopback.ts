import { systemCode, toLoginError } from "../errors.ts";
import { resolveName } from "../dial.ts";
import { describeSystemError } from "../system_error.ts";
import type { World } from "../world.ts";
import { type Check, type Examined, fail, type Finding, ok, skip, warn } from "./check.ts";

const LOOPBACK_MS = 4_000;
const REMEDY =
  "look for a firewall or a security program that forbids connections on loopback; or codex-login --device-auth";

/** A callback as a browser would make it: bind, GET, compare. */
export function loopbackChecks({ world }: Examined): Check[] {
  return [
    {
      id: "loopback.ipv4",
      limitMs: LOOPBACK_MS,
      run: (signal) => callOurselves(world, "127.0.0.1", signal),
    },
    {
      id: "loopback.ipv6",
      limitMs: LOOPBACK_MS,
      run: async (signal) => {
        const found = await callOurselves(world, "::1", signal);
        // The redirect goes to 127.0.0.1 unless somebody asks for another.
        return found.status === "fail" ? { ...found, status: "warn" } : found;
      },
    },
    { id: "loopback.name", limitMs: LOOPBACK_MS, run: resolveLocalhost },
  ];
}

async function callOurselves(
  world: World,
  hostname: string,
  signal: AbortSignal,
): Promise<Finding> {
  const expected = Buffer.from(world.randomBytes(16)).toString("hex");
  const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
  let server;
  try {
    server = await world.runtime.serve({
      hostname,
      port: 0,
      handler: () => new Response(expected),
    });
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") {
      return skip(`there is no ${hostname} here`);
    }
    return fail(
      `cannot listen on ${shown}: ${describeSystemError(thrown)}`,
      "a port of our own",
      REMEDY,
    );
  }
  try {
    const answer = await world.fetch(`http://${shown}:${server.port}/self-test`, {
      method: "GET",
      signal,
    });
    const isSame = await answer.text() === expected;
    return isSame ? ok(`listening on ${shown} works, and the answer is ours`) : fail(
      `${shown}: somebody else's answer came (status ${answer.status})`,
      "the answer that was given",
      REMEDY,
    );
  } catch (thrown) {
    const { reason, message } = toLoginError(thrown);
    return fail(
      `${shown} cannot be reached: ${reason ?? message}`,
      "an answer from ourselves",
      REMEDY,
    );
  } finally {
    server.stop({ force: true }).catch(() => {});
  }
}

async function resolveLocalhost(): Promise<Finding> {
  const expected = "127.0.0.1 or ::1";
  const remedy =
    "mend the line of localhost in the hosts file; --redirect-host localhost does not work so";
  try {
    const addresses = await resolveName("localhost");
    const shown = `localhost is ${addresses.join(", ")}`;
    const isLoopback = addresses.every((address) =>
      address === "::1" || address.startsWith("127.")
    );
    return isLoopback ? ok(shown) : warn(shown, expected, remedy);
  } catch (thrown) {
    return warn(`localhost has no address: ${describeSystemError(thrown)}`, expected, remedy);
  }
}
