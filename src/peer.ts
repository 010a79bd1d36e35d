import { kernelAddress, readTcpSockets } from "./proc_net.ts";
import type { Peer } from "./runtime/runtime.ts";
import type { World } from "./world.ts";

/**
 * Whether the program at the other end runs as this user. Only Linux tells; elsewhere every local program passes.
 *
 * @param port the one of ours that it is connected to.
 */
export async function isOwnPeer(
  world: Pick<World, "platform">,
  peer: Peer,
  port: number,
): Promise<boolean> {
  if (world.platform !== "linux") return true;
  const address = kernelAddress(peer.address);
  const socket = (await readTcpSockets()).find((one) =>
    one.localAddress === address && one.localPort === peer.port && one.remotePort === port
  );
  // A socket that its owner has closed is listed as root's, with no inode.
  return socket !== undefined && socket.inode !== "0" && socket.uid === process.getuid?.();
}
