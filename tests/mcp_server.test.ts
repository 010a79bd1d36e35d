import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { deferred } from "../src/deferred.ts";
import { LoginError } from "../src/errors.ts";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { callTool, connectClient, ERAS, type McpRun, startMcp } from "./testing/mcp_run.ts";
import type { Progress } from "@modelcontextprotocol/client";
import { createSteppedClock } from "./testing/stepped_clock.ts";
import { storeLogin } from "./testing/stored_login.ts";

/** Nobody listens any more where this login would have come back to. */
async function assertPortFree(run: McpRun, authUrl: string): Promise<void> {
  const back = new URL(authUrl).searchParams.get("redirect_uri") ?? "";
  while (await get(back).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  run.assertNothingLeaked();
}

for (const era of ERAS) {
  test(`${era}: five tools are listed, with schemas and annotations`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), era);
    assert.match(peer.client.getInstructions() ?? "", /^Signs a person in to ChatGPT/);
    const { tools } = await peer.client.listTools();
    assert.deepEqual(
      tools.map(({ name, annotations = {} }) => [
        name,
        annotations.readOnlyHint,
        annotations.destructiveHint,
        annotations.idempotentHint,
        annotations.openWorldHint,
      ]),
      [
        ["login", false, true, false, true],
        ["login_device", false, true, false, true],
        ["login_status", true, undefined, undefined, false],
        ["cancel_login", false, false, true, false],
        ["logout", false, true, true, true],
      ],
    );
    for (const { title, description, inputSchema, outputSchema } of tools) {
      assert.ok(title);
      assert.ok((description ?? "").length > 80);
      assert.equal(inputSchema["additionalProperties"], false);
      assert.equal(outputSchema?.["type"], "object");
    }
    for (
      const [name, input] of [
        ["login", { timeoutSeconds: 0 }],
        ["login", { timeoutSeconds: "1" }],
        ["login_status", { verbose: true }],
        ["logout", { localOnly: 1 }],
        ["no_such_tool", {}],
      ] as const
    ) {
      const answer = await callTool(peer.client, name, input).catch(() => ({ isError: true }));
      assert.ok(answer.isError, name);
    }
  });

  test(`${era}: without elicitation the answer holds the address, and login_status tells the rest`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), era);
    const waiting = await callTool(peer.client, "login");
    assert.equal(waiting.members["status"], "waiting");
    const { authUrl, loginId } = waiting.members;
    assert.ok(waiting.text.includes(`\n${authUrl}\n`));
    assert.equal(new URL(authUrl).searchParams.get("originator"), "test client");

    const pending = await callTool(peer.client, "login_status");
    assert.equal(pending.members["loggedIn"], false);
    assert.equal(pending.members["pending"].loginId, loginId);
    assert.ok(pending.text.includes(authUrl));
    const steps = await visit(authUrl);
    assert.match(steps.at(-1)?.reply.body ?? "", /ada@example\.com/);

    const { members, text } = await callTool(peer.client, "login_status");
    assert.equal(members["loggedIn"], true);
    assert.equal(members["pending"], null);
    assert.equal(members["account"].email, "ada@example.com");
    assert.equal(members["lastSignIn"].status, "signed_in");
    assert.equal(members["lastSignIn"].loginId, loginId);
    assert.match(text, /^Signed in with ChatGPT as ada@example\.com/);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    run.assertNothingLeaked();
  });

  test(`${era}: a client that shows addresses is asked to, and told who signed in`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    const told: Progress[] = [];
    await using peer = await connectClient(run.transport(), era, async ({ url, message }) => {
      assert.match(message, /^Sign in to ChatGPT/);
      await visit(url);
      return { action: "accept" };
    });
    const { members, text, isError } = await callTool(peer.client, "login", {}, {
      onprogress: (progress) => told.push(progress),
    });
    assert.ok(!isError, text);
    assert.equal(members["status"], "signed_in");
    assert.deepEqual(members["account"], {
      email: "ada@example.com",
      plan: "plus",
      accountId: "acct-1111",
      userId: "user-ada",
    });
    assert.match(text, /^Signed in as ada@example\.com .*\nSaved in .*auth\.json\./);
    assert.equal(told.at(-1)?.message, "Signed in: the login is saved.");
    assert.equal(told.at(-1)?.progress, told.at(-1)?.total);
    assert.deepEqual(peer.completed, era === "2025" ? [members["loginId"]] : []);
    assert.equal((await home.authJson())["auth_mode"], "chatgpt");
    run.assertNothingLeaked();
  });

  test(`${era}: a person who declines ends the sign-in, and what was stored stays`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await storeLogin(home, issuer, 3_600);
    const before = await home.readAuth();
    for (const action of ["decline", "cancel"] as const) {
      let shown = "";
      await using run = await startMcp(home, issuer);
      await using peer = await connectClient(run.transport(), era, ({ url }) => {
        shown = url;
        return { action };
      });
      const { members, text, isError } = await callTool(peer.client, "login");
      assert.ok(isError);
      assert.equal(members["status"], "failed");
      assert.equal(members["error"].code, "CANCELED");
      assert.match(
        text,
        /^error\[CANCELED\]: .*\n {2}try: .*\nThe sign-in stored nothing\./,
      );
      await assertPortFree(run, shown);
    }
    assert.equal(await home.readAuth(), before);
  });

  test(`${era}: a device code is shown with the question, and in the answer where none can be asked`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), era, ({ url, message }) => {
      assert.equal(url, `${issuer.url}/codex/device`);
      issuer.enterCode(/Enter this code there: (\S+)/.exec(message)?.[1] ?? "");
      return { action: "accept" };
    });
    const { members, text } = await callTool(peer.client, "login_device");
    assert.equal(members["status"], "signed_in", text);
    assert.equal(members["method"], "device_code");

    await using other = await startMcp(home, issuer);
    await using blind = await connectClient(other.transport(), era);
    const waiting = await callTool(blind.client, "login_device");
    const { userCode, verificationUrl, expiresAt } = waiting.members;
    assert.equal(verificationUrl, `${issuer.url}/codex/device`);
    assert.ok(waiting.text.includes(`Enter this code there: ${userCode}\n`));
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 900_000) < 60_000);
    issuer.enterCode(userCode);
    let status = await callTool(blind.client, "login_status");
    while (status.members["pending"]) status = await callTool(blind.client, "login_status");
    assert.equal(status.members["lastSignIn"].status, "signed_in");
    run.assertNothingLeaked();
    other.assertNothingLeaked();
  });

  test(`${era}: while it waits the client is told so each quarter of a minute, and it ends in time`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const clock = createSteppedClock();
    await using run = await startMcp(home, issuer, { changes: clock });
    const accepted = deferred<void>();
    await using peer = await connectClient(run.transport(), era, () => {
      accepted.resolve();
      return { action: "accept" };
    });
    const told: [number, string][] = [];
    const answer = callTool(peer.client, "login", { timeoutSeconds: 120 }, {
      onprogress: ({ progress, total, message = "" }) => {
        // The client's SDK of 2026 tells some of its own, without an end.
        if (total === 120) told.push([progress, message]);
      },
    });
    await accepted.promise;
    await run.message(({ method }) => method === "notifications/progress");
    for (const _ of [1, 2, 3]) await clock.advance(15_000);
    assert.deepEqual(told, [
      [0, "Waiting for the person to sign in; 2 min left."],
      [15, "Waiting for the person to sign in; 2 min left."],
      [30, "Waiting for the person to sign in; 2 min left."],
      [45, "Waiting for the person to sign in; 1 min left."],
    ]);
    await clock.advance(75_000);
    const { members, isError } = await answer;
    assert.ok(isError);
    assert.equal(members["error"].code, "LOGIN_TIMEOUT");
    const count = run.messages.length;
    await clock.advance(60_000);
    assert.equal(run.messages.length, count);
    assert.deepEqual((await home.list()).filter((name) => name === "auth.json"), []);
  });

  test(`${era}: who gives the call up gives up the sign-in`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    const giving = new AbortController();
    const accepted = deferred<string>();
    await using peer = await connectClient(run.transport(), era, ({ url }) => {
      accepted.resolve(url);
      return { action: "accept" };
    });
    const answer = callTool(peer.client, "login", {}, {
      signal: giving.signal,
      onprogress: () => {},
    });
    const url = await accepted.promise;
    await run.message(({ method }) => method === "notifications/progress");
    giving.abort();
    await assert.rejects(answer);
    await assertPortFree(run, url);
    const { members, text } = await callTool(peer.client, "login_status");
    assert.equal(members["lastSignIn"].error.code, "CANCELED");
    assert.match(text, /The last sign-in failed: error\[CANCELED\]/);
  });

  test(`${era}: a sign-in that the issuer refuses is told with its code, its cause and the next step`, async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    issuer.misbehave.token = {
      status: 400,
      body: JSON.stringify({ error: "invalid_grant", error_description: "no\u202e such grant" }),
    };
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), era, async ({ url }) => {
      await visit(url);
      return { action: "accept" };
    });
    const { members, text, isError } = await callTool(peer.client, "login");
    assert.ok(isError);
    assert.deepEqual(Object.keys(members["error"]), ["code", "message", "cause", "hint"]);
    assert.equal(members["error"].code, "TOKEN_ENDPOINT");
    assert.match(members["error"].cause, /invalid_grant.*no such grant/);
    assert.match(text, /call the tool login, or login_device/);
    assert.deepEqual((await home.list()).filter((name) => name === "auth.json"), []);
    run.assertNothingLeaked();
  });
}

test("an answer to a question that is not known, or over, is told so", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  await using peer = await connectClient(run.transport(), "2026");
  const params = {
    name: "login",
    arguments: {},
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": { elicitation: { url: {} } },
    },
  };
  const call = async (
    id: string,
    more: Record<string, unknown>,
  ): Promise<Record<string, unknown>> => {
    run.send({ jsonrpc: "2.0", id, method: "tools/call", params: { ...params, ...more } });
    return (await run.answer(id))["result"] as Record<string, unknown>;
  };
  const unknown = await call("unknown", { requestState: "not-an-id" });
  assert.equal(unknown["isError"], true);
  const question = await call("first", {});
  assert.equal(question["resultType"], "input_required");
  const requestState = question["requestState"];
  // Asked again, it is the same question.
  assert.deepEqual(await call("again", { requestState }), question);
  await callTool(peer.client, "cancel_login", { loginId: requestState });
  for (
    const [id, more] of [["late", {}], ["later", {
      inputResponses: { sign_in: { action: "accept" } },
    }]] as const
  ) {
    const over = await call(id, { requestState, ...more });
    assert.equal(over["isError"], true, id);
  }
});

test("a client that cannot do what it said is given the address", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  await using peer = await connectClient(run.transport(), "2025", () => {
    throw new Error("no screen");
  });
  const told: unknown[] = [];
  const { members } = await callTool(peer.client, "login", {}, {
    onprogress: (progress) => told.push(progress),
  });
  assert.equal(members["status"], "waiting");
  await visit(members["authUrl"]);
  const status = await callTool(peer.client, "login_status");
  assert.equal(status.members["loggedIn"], true);
  assert.equal(told.length, 1);
});

test("a person who signs in before they answer the question has signed in", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  const answered = deferred<void>();
  await using peer = await connectClient(run.transport(), "2025", async ({ url }) => {
    await visit(url);
    await answered.promise;
    return { action: "decline" };
  });
  const { members } = await callTool(peer.client, "login");
  assert.equal(members["status"], "signed_in");
  assert.ok(run.messages.some(({ method }) => method === "notifications/cancelled"));
  answered.resolve();
  assert.equal((await callTool(peer.client, "login_status")).members["loggedIn"], true);
});

test("the issuer is told the client's name, if it can be", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  for (
    const [name, originator] of [["Zed Editor", "Zed Editor"], ["Zëd", "codex_cli_rs"], [
      " ",
      "codex_cli_rs",
    ]]
  ) {
    await using run = await startMcp(home, issuer);
    const info = { name: name ?? "", version: "1" };
    await using peer = await connectClient(run.transport(), "2025", undefined, info);
    const { authUrl } = (await callTool(peer.client, "login")).members;
    assert.equal(new URL(authUrl).searchParams.get("originator"), originator);
  }
});

test("cancel_login ends what waits, once", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  await using peer = await connectClient(run.transport(), "2025");
  assert.deepEqual((await callTool(peer.client, "cancel_login")).members, {
    cancelled: false,
    loginId: null,
  });
  const { loginId, authUrl } = (await callTool(peer.client, "login")).members;
  const other = await callTool(peer.client, "cancel_login", { loginId: "another" });
  assert.equal(other.members["cancelled"], false);
  assert.deepEqual((await callTool(peer.client, "cancel_login")).members, {
    cancelled: true,
    loginId,
  });
  await assertPortFree(run, authUrl);
  const again = await callTool(peer.client, "cancel_login", { loginId });
  assert.equal(again.members["cancelled"], false);
});

test("of logins that race, by tools and by the earlier method, the last stays", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  await using peer = await connectClient(run.transport(), "2025");
  const first = callTool(peer.client, "login");
  const second = callTool(peer.client, "login_device");
  run.send({ jsonrpc: "2.0", id: "third", method: "loginChatGpt" });
  const last = callTool(peer.client, "login");
  const outcomes = [await first, await second].map(({ members }) =>
    members["status"] === "waiting" || members["error"].code === "SUPERSEDED"
  );
  assert.deepEqual(outcomes, [true, true]);
  await run.answer("third");
  const { members } = await last;
  await visit(members["authUrl"]);
  const status = await callTool(peer.client, "login_status");
  assert.equal(status.members["lastSignIn"].loginId, members["loginId"]);
  assert.equal(status.members["lastSignIn"].status, "signed_in");
  run.assertNothingLeaked();
});

test("a cancellation that races the callback: what is stored is told as success, and nothing else", async () => {
  await using issuer = await startIssuer();
  for (let i = 0; i < 24; i++) {
    await using home = await createHome();
    await using run = await startMcp(home, issuer);
    await using peer = await connectClient(run.transport(), "2025");
    const { authUrl } = (await callTool(peer.client, "login")).members;
    const callback = await obtainCallback(authUrl);
    const acts = [
      (): Promise<unknown> => visit(callback).catch(() => {}),
      (): Promise<unknown> => callTool(peer.client, "cancel_login"),
    ];
    if (i % 2 === 0) acts.reverse();
    const [started] = acts.splice(0, 1).map((act) => act());
    // Each time a little later in the course of the other.
    for (let turn = 0; turn < Math.floor(i / 2); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([started, ...acts.map((act) => act())]);
    let status = await callTool(peer.client, "login_status");
    while (status.members["pending"]) status = await callTool(peer.client, "login_status");
    const { lastSignIn, loggedIn } = status.members;
    const isStored = (await home.list()).includes("auth.json");
    assert.equal(lastSignIn.status === "signed_in", isStored);
    assert.equal(loggedIn, isStored);
    if (!isStored) assert.equal(lastSignIn.error.code, "CANCELED");
    run.assertNothingLeaked();
  }
});

test("a logout ends the sign-in that waits, and then the login", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const { tokens } = await storeLogin(home, issuer, 3_600);
  await using run = await startMcp(home, issuer);
  const shown = deferred<string>();
  await using peer = await connectClient(run.transport(), "2025", ({ url }) => {
    shown.resolve(url);
    return { action: "accept" };
  });
  const login = callTool(peer.client, "login");
  const url = await shown.promise;
  const { members, text } = await callTool(peer.client, "logout");
  assert.deepEqual(members, { removed: true, revoked: true, revocationError: null, notes: [] });
  assert.match(text, /^Signed out/);
  assert.equal((await login).members["error"].code, "CANCELED");
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.ok(!issuer.liveRefreshTokens.has(tokens["refresh_token"] ?? ""));
  await assertPortFree(run, url);
  const again = await callTool(peer.client, "logout", { localOnly: true });
  assert.equal(again.members["removed"], false);
});

test("a login that cannot be read is told, and one is still possible", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await home.writeAuth("{ damaged");
  await using run = await startMcp(home, issuer);
  await using peer = await connectClient(run.transport(), "2025");
  const { members, isError, text } = await callTool(peer.client, "login_status");
  assert.ok(isError);
  // Members that are not in the tool's schema would make some clients throw the whole answer away.
  assert.deepEqual(members, {});
  assert.match(text, /^error\[CREDENTIALS_CORRUPT\]/);
  await visit((await callTool(peer.client, "login")).members["authUrl"]);
  assert.equal((await callTool(peer.client, "login_status")).members["loggedIn"], true);
});

test('the store "ephemeral" keeps the login for the life of the server, and writes nothing', async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const overrides = ["cli_auth_credentials_store=ephemeral"];
  await using run = await startMcp(home, issuer, { overrides });
  await using peer = await connectClient(run.transport(), "2025");
  await visit((await callTool(peer.client, "login")).members["authUrl"]);
  const { members, text } = await callTool(peer.client, "login_status");
  assert.equal(members["loggedIn"], true);
  assert.equal(members["store"], "host");
  assert.match(text, /the program's own store/);
  assert.ok(!(await home.list()).includes("auth.json"));
  assert.equal((await callTool(peer.client, "logout")).members["removed"], true);
  assert.equal((await callTool(peer.client, "login_status")).members["loggedIn"], false);
});

test("the end of stdin ends a sign-in that waits, answers what is open, and frees the port", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using run = await startMcp(home, issuer);
  const shown = deferred<string>();
  await using peer = await connectClient(run.transport(), "2025", ({ url }) => {
    shown.resolve(url);
    return { action: "accept" };
  });
  const answer = callTool(peer.client, "login");
  const url = await shown.promise;
  run.end();
  await run.ended;
  assert.equal((await answer).members["error"].code, "CANCELED");
  await assert.rejects(
    get(url.replace(/.*redirect_uri=([^&]*).*/, (_, back) => decodeURIComponent(back))),
  );
  run.assertNothingLeaked();
});

test("an answer that is due when stdin ends is still given", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, 3_600);
  await using run = await startMcp(home, issuer);
  await using _peer = await connectClient(run.transport(), "2025");
  const params = { name: "logout", arguments: {} };
  run.send({ jsonrpc: "2.0", id: "last", method: "tools/call", params });
  run.end();
  await run.ended;
  const { structuredContent } = (await run.answer("last"))["result"] as Record<string, unknown>;
  assert.deepEqual(structuredContent, {
    removed: true,
    revoked: true,
    revocationError: null,
    notes: [],
  });
});

test("a signal ends the server with its reason, and so does an output that nobody takes", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const run = await startMcp(home, issuer);
  run.send({ jsonrpc: "2.0", id: 1, method: "loginChatGpt" });
  await run.answer(1);
  run.world.end(new LoginError("TERMINATED", "Cancelled by SIGTERM"));
  await assert.rejects(run.ended, { code: "TERMINATED" });

  const broken = await startMcp(home, issuer, {
    changes: {
      sendData: () => Promise.reject(new LoginError("OUTPUT_FAILED", "stdout cannot be written")),
    },
  });
  broken.send("nonsense");
  await assert.rejects(broken.ended, { code: "OUTPUT_FAILED" });
});

test("a client that stopped reading ends the server, and is not read from for ever", async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const clock = createSteppedClock();
  const run = await startMcp(home, issuer, {
    changes: { ...clock, sendData: () => new Promise<void>(() => {}) },
  });
  for (let i = 0; i < 20_000; i++) run.send("nonsense");
  await clock.advance(60_000);
  await assert.rejects(run.ended, { code: "OUTPUT_FAILED" });
  assert.deepEqual(await readdir(home.path), []);
});
