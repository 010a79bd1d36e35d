import { connect } from "node:net";
import { bind, type EarlyBinding, type RedirectHost, REGISTERED_PORTS } from "./binding.ts";
import { LoginError } from "./errors.ts";
import { type LoginRecord, writeLoginRecord } from "./login_record.ts";
import { findPortHolder } from "./port_holder.ts";
import type { HttpServer, RequestHandler } from "./runtime/runtime.ts";
import type { World } from "./world.ts";

const GIVE_WAY_TRIES = 20;
const GIVE_WAY_PAUSE_MS = 100;
const CANCEL_LIMIT_MS = 2_000;

export interface ListenOptions {
  /** Listen here and nowhere else; 0 picks a free one. Absent: the registered ports, in their order. */
  readonly port: number | undefined;
  readonly redirectHost: RedirectHost;
  readonly handler: RequestHandler;
  /** What was begun for the first port that comes into question. */
  readonly early?: EarlyBinding | undefined;
}

/** Both loopback addresses on one port. */
export interface Listener {
  readonly port: number;
  /** What a person should know of how the port was found. */
  readonly notes: readonly string[];
  /** Frees the port at once; answers under way are delivered within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

interface Recorded {
  readonly port: number;
  readonly servers: readonly HttpServer[];
  readonly record: LoginRecord | undefined;
}

/**
 * Starts to listen on loopback, by the rules of the two registered ports: a login of the same user on the first is
 * asked to give way, anybody else is left alone and the second port is taken at once.
 *
 * @throws {LoginError} PORT_BUSY or PORT_FORBIDDEN, naming who holds the port.
 */
export async function listen(world: World, options: ListenOptions): Promise<Listener> {
  if (options.port !== undefined) {
    const bound = await take(world, options.port, options, options.early);
    if ("blocked" in bound) throw await portError(world, options.port, bound.blocked);
    return toListener(world, bound, []);
  }
  const [first, second] = REGISTERED_PORTS;
  const bound = await take(world, first, options, options.early);
  if (!("blocked" in bound)) return toListener(world, bound, []);

  const holder = bound.blocked === "EADDRINUSE"
    ? await findPortHolder(world, first)
    : { isLogin: false, name: `the system (${bound.blocked})` };
  if (holder.isLogin) {
    const taken = await takeOver(world, first, options);
    if (taken) {
      return toListener(world, taken, [
        `An earlier sign-in on port ${first} gave way to this one.`,
      ]);
    }
  }
  world.log.write(
    "warning",
    "codex_login::server",
    "default login callback port is unavailable; falling back to the registered fallback port",
    { port: first, holder: holder.name },
  );
  const fallback = await take(world, second, options);
  if (!("blocked" in fallback)) {
    return toListener(world, fallback, [
      `Port ${first} is held by ${holder.name}; using ${second}.`,
    ]);
  }
  throw await portError(world, second, fallback.blocked, { port: first, holder: holder.name });
}

/** @param early what was begun for this port already. */
async function take(
  world: World,
  port: number,
  options: ListenOptions,
  early?: EarlyBinding,
): Promise<Recorded | { readonly blocked: string }> {
  early?.answerWith(options.handler);
  let bound = await early?.binding;
  // Whoever had it then may be gone by now.
  if (!bound || "blocked" in bound) bound = await bind(world.runtime, port, options);
  if ("blocked" in bound) return bound;
  return { ...bound, record: await writeLoginRecord(world, bound.port) };
}

async function takeOver(
  world: World,
  port: number,
  options: ListenOptions,
): Promise<Recorded | undefined> {
  await askToGiveWay(port);
  for (let tries = 0; tries < GIVE_WAY_TRIES && !world.signal.aborted; tries++) {
    const bound = await take(world, port, options);
    if (!("blocked" in bound)) return bound;
    await world.sleep(GIVE_WAY_PAUSE_MS, world.signal);
  }
  return undefined;
}

/** The request by which the reference's logins, and ours, ask each other to end. The answer does not matter. */
function askToGiveWay(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(CANCEL_LIMIT_MS, () => socket.destroy());
    socket.once("connect", () => {
      socket.write(`GET /cancel HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.once("data", () => socket.destroy());
    socket.once("error", () => socket.destroy());
    socket.once("close", () => resolve());
  });
}

/** @param earlier the port that was tried before this one. */
async function portError(
  world: World,
  port: number,
  code: string,
  earlier?: { port: number; holder: string },
): Promise<LoginError> {
  const isBusy = code === "EADDRINUSE";
  const holder = isBusy ? (await findPortHolder(world, port)).name : code;
  const what = earlier
    ? `Neither port ${earlier.port} nor ${port} can be used`
    : `Port ${port} cannot be used`;
  return new LoginError(isBusy ? "PORT_BUSY" : "PORT_FORBIDDEN", what, {
    reason: `${earlier ? `${earlier.port}: ${earlier.holder}; ` : ""}${port}: ${holder}`,
  });
}

function toListener(world: World, bound: Recorded, notes: readonly string[]): Listener {
  return {
    port: bound.port,
    notes,
    async close(graceMs: number): Promise<void> {
      const delivered = Promise.all(bound.servers.map((server) => server.stop()));
      await bound.record?.remove();
      const enough = new AbortController();
      await Promise.race([delivered, world.sleep(graceMs, enough.signal)]);
      enough.abort();
      for (const server of bound.servers) server.stop({ force: true }).catch(() => {});
    },
  };
}
