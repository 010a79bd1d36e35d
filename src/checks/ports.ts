import { deferred } from "../deferred.ts";
import { systemCode } from "../errors.ts";
import { REGISTERED_PORTS } from "../binding.ts";
import { findPortHolder } from "../port_holder.ts";
import { describeSystemError } from "../system_error.ts";
import type { World } from "../world.ts";
import { type Check, type Examined, type Finding, ok, warn } from "./check.ts";

/** Finding out who holds a port starts other programs in some places, with a limit of their own. */
const PORT_MS = 6_000;

/**
 * Both ports of the issuer's client, on both loopback addresses: taken for a moment, and nobody is sent anything. A sign-in
 * needs one of them.
 */
export function portChecks({ world }: Examined): Check[] {
  const found = REGISTERED_PORTS.map(() => deferred<boolean>());
  return REGISTERED_PORTS.map((port, i) => ({
    id: `port.${port}`,
    limitMs: PORT_MS,
    async run(): Promise<Finding> {
      const { finding, isUsable } = await examine(world, port);
      found[i]?.resolve(isUsable);
      if (isUsable || i === 0) return finding;
      const isAnyUsable = (await Promise.all(found.map(({ promise }) => promise))).includes(true);
      return isAnyUsable ? finding : { ...finding, status: "fail" };
    },
  }));
}

async function examine(
  world: World,
  port: number,
): Promise<{ finding: Finding; isUsable: boolean }> {
  const v4 = await tryPort(world, "127.0.0.1", port);
  const v6 = await tryPort(world, "::1", port);
  if (v4 === undefined) {
    if (v6 === undefined) return { finding: ok("free on 127.0.0.1 and ::1"), isUsable: true };
    const finding = v6 === "EADDRNOTAVAIL" || v6 === "EAFNOSUPPORT"
      ? ok("free on 127.0.0.1; there is no ::1 here")
      : warn(
        `free on 127.0.0.1, but not on ::1: ${await describeObstacle(world, port, v6)}`,
        "free on both",
        "nothing, unless you use --redirect-host localhost",
      );
    return { finding, isUsable: true };
  }
  if (v4 === "EADDRINUSE") {
    const { isLogin, name } = await findPortHolder(world, port);
    if (isLogin) {
      return { finding: ok(`held by ${name}, which gives way to a new sign-in`), isUsable: true };
    }
  }
  const finding = warn(
    `not free: ${await describeObstacle(world, port, v4)}`,
    "free on 127.0.0.1 and ::1",
    v4 === "EADDRINUSE"
      ? "end that program, if it is not needed, or choose another port: codex-login --port N"
      : "choose another port: codex-login --port N",
  );
  return { finding, isUsable: false };
}

/** The system's code when the port cannot be had. */
async function tryPort(world: World, hostname: string, port: number): Promise<string | undefined> {
  try {
    const handler = (): Response => new Response(null, { status: 404 });
    const server = await world.runtime.serve({ hostname, port, handler });
    await server.stop();
    return undefined;
  } catch (thrown) {
    return systemCode(thrown) ?? describeSystemError(thrown);
  }
}

async function describeObstacle(world: World, port: number, code: string): Promise<string> {
  if (code !== "EADDRINUSE") return `the system says ${code}`;
  return `held by ${(await findPortHolder(world, port)).name}`;
}
