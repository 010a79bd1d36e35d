import { connect, type Socket } from "node:net";
import type { Bench } from "./bench.ts";
import { requestHead } from "./exchange.ts";
import { ADDRESS, startLogin } from "./login.ts";
import { LOGIN_PORT, waitUntilFree } from "./port.ts";
import { memoryOf } from "./process_figures.ts";
import type { RemoteIssuer } from "./remote_issuer.ts";
import type { Readings } from "./rounds.ts";
import { within } from "./running.ts";
import type { Subject } from "./subject.ts";

const OPENED_MS = 5_000;
/** Until what opening them took has settled. */
const SETTLED_MS = 200;

/** What so many connections that send nothing cost a waiting login, and the right callback that comes among them. */
export async function idleConnections(
  bench: Bench,
  subject: Subject,
  issuer: RemoteIssuer,
  count: number,
): Promise<Readings> {
  await waitUntilFree(LOGIN_PORT);
  await using running = startLogin(bench, subject, { port: 0, env: issuer.environment });
  const [authUrl] = await running.shows(ADDRESS);
  const callback = await issuer.walk(authUrl);
  const sockets: Socket[] = [];
  try {
    const { hostname, port } = new URL(callback);
    const opened = Array.from({ length: count }, () => openOne(hostname, Number(port), sockets));
    if (!await within(OPENED_MS, Promise.all(opened))) throw new Error("not all were taken");
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const { resident } = memoryOf(running.pid);
    const started = performance.now();
    const { status } = await requestHead(callback);
    const right = performance.now() - started;
    if (status !== 302 && status !== 303) throw new Error(`the callback was answered ${status}`);
    return { resident, "right callback": right };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** One that the other side cuts at once has been taken too. */
function openOne(hostname: string, port: number, sockets: Socket[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, hostname, () => resolve());
    socket.on("error", () => resolve());
    sockets.push(socket);
  });
}
