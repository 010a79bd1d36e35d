import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { bindEarly } from "../src/binding.ts";
import { listen, type Listener, type ListenOptions } from "../src/listener.ts";
import { findPortHolder } from "../src/port_holder.ts";
import { sleep } from "../src/system_world.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { occupy } from "./testing/occupant.ts";
import { createWorld, type TestWorld } from "./testing/world.ts";
import { verifies } from "./testing/verifies.ts";

const OPTIONS: ListenOptions = {
  port: undefined,
  redirectHost: "127.0.0.1",
  handler: () => new Response("ours"),
};

async function createRecordedWorld(home: TestHome): Promise<TestWorld> {
  return await createWorld({ env: { XDG_RUNTIME_DIR: home.path } });
}

async function withListener(
  world: TestWorld,
  options: ListenOptions,
  use: (listener: Listener) => Promise<void> | void,
): Promise<void> {
  const listener = await listen(world, options);
  try {
    await use(listener);
  } finally {
    await listener.close(1_000);
  }
}

verifies("S13", "listen() takes 1455 on both loopback addresses, and frees it", async () => {
  await using home = await createHome();
  const world = await createRecordedWorld(home);
  for (let i = 0; i < 3; i++) {
    await withListener(world, OPTIONS, async ({ port, notes }) => {
      assert.equal(port, 1455);
      assert.deepEqual(notes, []);
      for (const host of ["127.0.0.1", "[::1]"]) {
        assert.equal((await get(`http://${host}:${port}/`)).body, "ours");
      }
    });
  }
});

test("a port that is taken early tells everybody to come again, until listen() goes on with it", async () => {
  await using home = await createHome();
  const world = await createRecordedWorld(home);
  const early = bindEarly(world.runtime, 1455, "127.0.0.1");
  assert.ok("servers" in await early.binding);
  for (const host of ["127.0.0.1", "[::1]"]) {
    const { status, headers, body } = await get(`http://${host}:1455/auth/callback?state=x`);
    assert.deepEqual([status, body], [503, ""]);
    assert.equal(headers["cache-control"], "no-store");
  }
  await withListener(world, { ...OPTIONS, early }, async ({ port, notes }) => {
    assert.deepEqual([port, notes], [1455, []]);
    assert.equal((await get("http://127.0.0.1:1455/")).body, "ours");
  });
  await using stranger = await occupy(1455);
  const late = bindEarly(world.runtime, 1455, "127.0.0.1");
  assert.deepEqual(await late.binding, { blocked: "EADDRINUSE" });
  await withListener(world, { ...OPTIONS, early: late }, ({ port }) => {
    assert.equal(port, 1457);
  });
  late.release();
  assert.deepEqual(stranger.received, []);
});

test("a port that was taken early is free again when there is no login", async () => {
  await using home = await createHome();
  const { runtime } = await createRecordedWorld(home);
  const early = bindEarly(runtime, 1455, "localhost");
  early.release();
  for (let left = 200;; left--) {
    const stranger = await occupy(1455).catch(() => undefined);
    if (stranger) return await stranger[Symbol.asyncDispose]();
    assert.ok(left > 0);
    await sleep(20);
  }
});

test("listen() with port 0 picks a free one", async () => {
  await using home = await createHome();
  await withListener(await createRecordedWorld(home), { ...OPTIONS, port: 0 }, ({ port }) => {
    assert.ok(port > 1024);
  });
});

verifies(
  "S27",
  "listen() leaves a stranger on 1455 alone, sends it nothing, names it and takes 1457",
  async () => {
    await using home = await createHome();
    await using stranger = await occupy(1455);
    await withListener(await createRecordedWorld(home), OPTIONS, ({ port, notes }) => {
      assert.equal(port, 1457);
      assert.match(notes.join(), /^Port 1455 is held by .+; using 1457\.$/);
      if (process.platform === "linux") {
        assert.ok(notes.join().includes(`(process ${process.pid})`));
      }
    });
    assert.deepEqual(stranger.received, []);
    assert.equal(stranger.connections, 0);
  },
);

test("listen() fails when both ports are held, and names both holders", async () => {
  await using home = await createHome();
  await using first = await occupy(1455);
  await using second = await occupy(1457);
  await assert.rejects(listen(await createRecordedWorld(home), OPTIONS), {
    code: "PORT_BUSY",
    exitCode: 1,
    message: "Neither port 1455 nor 1457 can be used",
    reason: /^1455: .+; 1457: .+/,
  });
  assert.deepEqual([...first.received, ...second.received], []);
});

test("listen() on a chosen port neither falls back nor asks anybody", async () => {
  await using home = await createHome();
  const world = await createRecordedWorld(home);
  await withListener(world, { ...OPTIONS, port: 15_560 }, async ({ port }) => {
    await assert.rejects(listen(world, { ...OPTIONS, port }), {
      code: "PORT_BUSY",
      reason: `15560: another codex-login (process ${process.pid})`,
    });
  });
});

verifies(
  "S13",
  "listen() does without ::1 for 127.0.0.1, and refuses to share localhost with a stranger",
  async () => {
    await using home = await createHome();
    await using stranger = await occupy(15_561, "::1");
    const world = await createRecordedWorld(home);
    await withListener(world, { ...OPTIONS, port: 15_561 }, async ({ port }) => {
      assert.equal((await get(`http://127.0.0.1:${port}/`)).body, "ours");
    });
    await assert.rejects(listen(world, { ...OPTIONS, port: 15_561, redirectHost: "localhost" }), {
      code: "PORT_BUSY",
    });
    assert.equal(stranger.connections, 0);
    await using _free = await occupy(15_561);
  },
);

verifies(
  "S28",
  "listen() asks an earlier login of this user to give way, in the reference's words, and takes its port",
  async () => {
    await using home = await createHome();
    const world = await createRecordedWorld(home);
    const asked: string[] = [];
    const first = await listen(world, {
      ...OPTIONS,
      handler: (request) => {
        asked.push(
          `${request.method} ${new URL(request.url).pathname} ${
            [...request.headers.keys()].sort()
          }`,
        );
        setTimeout(() => first.close(0), 0);
        return new Response("Login cancelled");
      },
    });
    await withListener(world, OPTIONS, ({ port, notes }) => {
      assert.equal(port, 1455);
      assert.match(notes.join(), /gave way/);
    });
    assert.deepEqual(asked, ["GET /cancel connection,host"]);
  },
);

test("listen() takes 1457 when the earlier login does not give way", async () => {
  await using home = await createHome();
  const world = await createWorld({
    env: { XDG_RUNTIME_DIR: home.path },
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
  await withListener(world, OPTIONS, async () => {
    await withListener(world, OPTIONS, ({ port }) => assert.equal(port, 1457));
  });
});

test("close() delivers the answer under way and cuts idle connections", async () => {
  await using home = await createHome();
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const listener = await listen(await createRecordedWorld(home), {
    ...OPTIONS,
    port: 0,
    handler: async () => {
      started.resolve();
      await gate.promise;
      return new Response("late");
    },
  });
  const idle = connect(listener.port, "127.0.0.1");
  idle.on("error", () => {});
  await new Promise((resolve) => idle.once("connect", resolve));
  const answer = get(`http://127.0.0.1:${listener.port}/`);
  await started.promise;
  const closed = listener.close(5_000);
  gate.resolve();
  assert.equal((await answer).body, "late");
  await closed;
  await using _free = await occupy(listener.port);
  idle.destroy();
});

test("findPortHolder() knows nothing of a free port", async () => {
  await using home = await createHome();
  const world = await createRecordedWorld(home);
  assert.deepEqual(await findPortHolder(world, 15_562), {
    isLogin: false,
    name: "an unknown program",
  });
  assert.equal((await findPortHolder({ ...world, platform: "win32" }, 15_562)).isLogin, false);
});
