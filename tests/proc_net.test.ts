import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { createAudience, findPeerUser, isOwnPeer } from "../src/peer.ts";
import { kernelAddress, readTcpSockets } from "../src/proc_net.ts";
import { occupy } from "./testing/occupant.ts";

const IS_LINUX = process.platform === "linux";
const LINUX_ONLY = { skip: IS_LINUX ? false : "only Linux has /proc" };

test("kernelAddress() writes addresses as the kernel does", () => {
  assert.equal(kernelAddress("127.0.0.1"), "0100007F");
  assert.equal(kernelAddress("127.0.0.2"), "0200007F");
  assert.equal(kernelAddress("::1"), "00000000000000000000000001000000");
  for (const other of ["", "localhost", "1.2.3", "1.2.3.400", "::2"]) {
    assert.equal(kernelAddress(other), undefined);
  }
});

test(
  "readTcpSockets() lists listeners with their owner, and nothing where there is no /proc",
  LINUX_ONLY,
  async () => {
    await using held = await occupy(0);
    const found = (await readTcpSockets()).filter((one) =>
      one.isListening && one.localPort === held.port
    );
    assert.equal(found.length, 1);
    assert.equal(found[0]?.uid, process.getuid?.());
    assert.match(found[0]?.inode ?? "", /^\d+$/);
    assert.deepEqual(await readTcpSockets("/nowhere"), []);
  },
);

test("isOwnPeer() knows this user's open connections, by both ends", LINUX_ONLY, async () => {
  await using held = await occupy(0);
  const socket = connect(held.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const port = socket.localPort ?? 0;
  const linux = { platform: "linux" };
  const mine = { address: "127.0.0.1", port };
  assert.equal(await isOwnPeer(linux, mine, held.port), true);
  assert.equal(await createAudience(linux, held.port).includes(mine), true);
  const rows: [address: string, peerPort: number, ownPort: number][] = [
    ["127.0.0.2", port, held.port],
    ["127.0.0.1", port + 1, held.port],
    ["127.0.0.1", port, held.port + 1],
    ["::1", port, held.port],
    ["nonsense", port, held.port],
  ];
  for (const [address, peerPort, ownPort] of rows) {
    const peer = { address, port: peerPort };
    assert.equal(await isOwnPeer(linux, peer, ownPort), false, address);
    assert.equal(await findPeerUser(linux, peer, ownPort), "elsewhere", address);
    const audience = createAudience(linux, ownPort);
    assert.equal(await audience.includes(peer), false, address);
    // A browser outside of this system, which reaches us through it, is known by its callback.
    await audience.admit(peer);
    assert.equal(await audience.includes(peer), true, address);
  }
  const elsewhere = { platform: "darwin" };
  assert.equal(await isOwnPeer(elsewhere, { address: "", port: 0 }, 1), true);
  assert.equal(await createAudience(elsewhere, 1).includes({ address: "", port: 0 }), true);
  socket.destroy();
});

test(
  "isOwnPeer() believes no socket that its owner has closed: the kernel lists it as root's",
  LINUX_ONLY,
  async () => {
    await using held = await occupy(0);
    const socket = connect(held.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const peer = { address: "127.0.0.1", port: socket.localPort ?? 0 };
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.destroy();
    });
    assert.equal(await isOwnPeer({ platform: "linux" }, peer, held.port), false);
    const audience = createAudience({ platform: "linux" }, held.port);
    await audience.admit(peer);
    assert.equal(await audience.includes(peer), false);
  },
);
