import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { isOwnPeer } from "../src/peer.ts";
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
    await using _held = await occupy(45_551);
    const found = (await readTcpSockets()).filter((one) =>
      one.isListening && one.localPort === 45_551
    );
    assert.equal(found.length, 1);
    assert.equal(found[0]?.uid, process.getuid?.());
    assert.match(found[0]?.inode ?? "", /^\d+$/);
    assert.deepEqual(await readTcpSockets("/nowhere"), []);
  },
);

test("isOwnPeer() knows this user's connections, by address and port", LINUX_ONLY, async () => {
  await using _held = await occupy(45_552);
  const socket = connect(45_552, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const port = socket.localPort ?? 0;
  const linux = { platform: "linux" };
  assert.equal(await isOwnPeer(linux, { address: "127.0.0.1", port }, 45_552), true);
  assert.equal(await isOwnPeer(linux, { address: "127.0.0.2", port }, 45_552), false);
  assert.equal(await isOwnPeer(linux, { address: "127.0.0.1", port: port + 1 }, 45_552), false);
  assert.equal(await isOwnPeer(linux, { address: "127.0.0.1", port }, 45_553), false);
  assert.equal(await isOwnPeer(linux, { address: "nonsense", port }, 45_552), false);
  assert.equal(await isOwnPeer({ platform: "darwin" }, { address: "", port: 0 }, 1), true);
  socket.destroy();
});
