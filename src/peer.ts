import { kernelAddress, readTcpSockets } from "./proc_net.ts";
import type { Peer } from "./runtime/runtime.ts";
import type { World } from "./world.ts";

/** A user's number; a connection that no program here holds; one that is being closed; or no answer from the system. */
export type PeerUser = number | "elsewhere" | "closing" | "unknown";

const ROOT = 0;

/**
 * Which user's program is at the other end of an open connection. Only Linux tells.
 *
 * @param port the one of ours that it is connected to.
 */
export async function findPeerUser(
  world: Pick<World, "platform">,
  peer: Peer,
  port: number,
): Promise<PeerUser> {
  if (world.platform !== "linux") return "unknown";
  const sockets = await readTcpSockets();
  if (sockets.length === 0) return "unknown";
  const localAddress = kernelAddress(peer.address);
  const remoteAddress = kernelAddress(peer.address.includes(":") ? "::1" : "127.0.0.1");
  const socket = sockets.find((one) =>
    one.localAddress === localAddress && one.localPort === peer.port &&
    one.remoteAddress === remoteAddress && one.remotePort === port
  );
  if (!socket) return "elsewhere";
  // Whoever has closed a socket no longer owns it: the kernel lists it as root's, without an inode.
  return socket.isEstablished && socket.inode !== "0" ? socket.uid : "closing";
}

/** Whether the program at the other end runs as this user, strictly: it may ask us to give way. */
export async function isOwnPeer(
  world: Pick<World, "platform">,
  peer: Peer,
  port: number,
): Promise<boolean> {
  const user = await findPeerUser(world, peer, port);
  return user === process.getuid?.() || (user === "unknown" && world.platform !== "linux");
}

/** Those who may see who signed in. */
export interface Audience {
  /** Lets in the user who brought the right callback, so knew the code. */
  admit(peer: Peer): Promise<void>;
  includes(peer: Peer): Promise<boolean>;
}

/**
 * At first this user, and root, who relays the browser's connections under WSL. Under sudo, or in a container that shares the
 * network, the browser is somebody else's; whose, the callback shows.
 */
export function createAudience(world: Pick<World, "platform">, port: number): Audience {
  const users = new Set<PeerUser>(["unknown", ROOT, process.getuid?.() ?? "unknown"]);
  return {
    async admit(peer): Promise<void> {
      const user = await findPeerUser(world, peer, port);
      if (user !== "closing") users.add(user);
    },
    includes: async (peer) => users.has(await findPeerUser(world, peer, port)),
  };
}
