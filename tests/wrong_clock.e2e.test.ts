import assert from "node:assert/strict";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { missingFakeClock, startClock } from "./testing/fake_clock.ts";
import { createHome } from "./testing/home.ts";
import { assertUntouched, EARLIER } from "./testing/hostile_login.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { FaultyNetwork } from "./testing/network_faults.ts";
import { runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { onlyThorough } from "./testing/thorough.ts";
import { CA_PATH, obtainCallbackByTls, TLS } from "./testing/tls.ts";
import { together } from "./testing/together.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 300_000 };
const SKIP = missingFakeClock();

verifies(
  "S39",
  `${SUBJECT}: a clock that is wrong by years refuses no login, is told, and makes no loop`,
  { ...SLOW, skip: SKIP },
  async () => {
    await using issuer = await startIssuer();
    for (const shift of ["+3y", "-3y"]) {
      await using home = await createHome();
      await using clock = await startClock(home, shift);
      await using program = startLogin(home, issuer, [], { env: clock.env });
      await visit(await program.authUrl());
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.match(ended.stderr, /clock/);
      const before = issuer.asked("refresh").length;
      const tokens = [];
      for (let i = 0; i < 3; i++) {
        tokens.push(await runProgram(home, ["token"], { env: clock.env }));
      }
      assert.deepEqual(tokens.map(({ exitCode }) => exitCode), [0, 0, 0], tokens[0]?.stderr);
      // By such a clock each token has expired: it is renewed once a call, and given out with a note.
      assert.equal(issuer.asked("refresh").length - before, shift.startsWith("+") ? 3 : 0);
      assert.ok(tokens.every(({ stdout }) => stdout.trim().length > 20));
    }
  },
);

verifies(
  ["S29", "S39"],
  `${SUBJECT}: a clock that is set by years while a login waits neither ends it nor spoils it`,
  { ...SLOW, skip: SKIP },
  async () => {
    const rows = ["+3y", "-3y"].map((name) => ({ name }));
    await together(rows, async ({ name: shift }) => {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using clock = await startClock(home, "+0d");
      await using program = startLogin(home, issuer, [], { env: clock.env });
      const callback = await obtainCallback(await program.authUrl());
      await clock.set(shift);
      assert.equal((await get(callback)).status, 303);
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      const direction = shift.startsWith("+") ? "ahead of" : "behind";
      assert.match(ended.stderr, new RegExp(`clock is \\d+ days ${direction} the issuer's`));

      await clock.set("+0d");
      const args = ["login", "--device-auth", "--issuer", issuer.url];
      await using device = startProgram(home, args, { env: clock.env });
      const [userCode] = await device.shows(/^[0-9A-F]{4}-[0-9A-F]{6}$/m);
      await clock.set(shift);
      issuer.enterCode(userCode);
      const entered = await device.ended;
      assert.equal(entered.exitCode, 0, entered.stderr);
    });
  },
);

verifies(
  "S39",
  `${SUBJECT}: an issuer that is years away judges by its own clock, and one without a time by ours`,
  SLOW,
  async () => {
    const years = 365 * 86_400_000;
    const rows = [
      { name: "ahead", date: new Date(Date.now() + 3 * years).toUTCString(), shift: 3 * years },
      { name: "behind", date: new Date(Date.now() - 3 * years).toUTCString(), shift: -3 * years },
      { name: "of another age", date: "Thu, 01 Jan 1970 00:00:00 GMT", shift: -Date.now() },
      { name: "of no age", date: "Mon, 99 Foo 99999 99:99:99 GMT", shift: 0 },
      { name: "hostile", date: "\u00a0-\u009b31m", shift: 0 },
    ];
    await together(rows, async ({ date, shift }) => {
      const seconds = Math.trunc(shift / 1_000);
      await using issuer = await startIssuer({
        idTokenClaims: (claims) => ({
          ...claims,
          iat: Number(claims["iat"]) + seconds,
          exp: Number(claims["exp"]) + seconds,
        }),
      });
      await using home = await createHome();
      issuer.misbehave.token = { change: (same) => same, headers: { date } };
      await using program = startLogin(home, issuer);
      await visit(await program.authUrl());
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      const isTold = /clock is \d+ days (ahead of|behind) the issuer's/.test(ended.stderr);
      assert.equal(isTold, shift !== 0, ended.stderr);
    });
  },
);

verifies(
  "S39",
  `${SUBJECT}: a clock that is wrong by years is named when a certificate is judged by it, and judges no token`,
  { ...SLOW, skip: SKIP },
  async () => {
    await using issuer = await startIssuer({ tls: TLS });
    for (const shift of ["+3y", "-20y"]) {
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      const env = { NODE_EXTRA_CA_CERTS: CA_PATH };
      await using clock = await startClock(home, shift);
      await using program = startLogin(home, issuer, [], { env: { ...env, ...clock.env } });
      const callback = await obtainCallbackByTls(await program.authUrl());
      const { status } = await get(callback);
      const ended = await program.ended;
      assert.match(ended.stderr, /clock is \d+ days (ahead of|behind) the issuer's/);
      if (shift === "+3y") {
        // This certificate lasts for a hundred years, the token for an hour.
        assert.deepEqual([status, ended.exitCode], [303, 0], ended.stderr);
        continue;
      }
      assert.deepEqual([status, ended.exitCode], [502, 5], ended.stderr);
      assert.match(ended.stderr, /error\[TLS_NOT_YET_VALID\][^]*try: .*clock right/);
      await assertUntouched(home);
    }
    assert.equal(issuer.asked("token").length, 1);
  },
);

verifies(
  "S29",
  `${SUBJECT}: half a minute is that by a clock that nobody sets, however an issuer drips or hangs`,
  { ...SLOW, skip: SKIP || onlyThorough() },
  async () => {
    const rows = ["+3y", "-3y", "drip"].map((name) => ({ name }));
    await together(rows, async ({ name }) => {
      await using network = new FaultyNetwork();
      await using home = await createHome();
      await home.writeAuth(EARLIER);
      await using clock = await startClock(home, "+0d");
      let askedAt = 0;
      const port = await network.listen((socket, request) => {
        if (request.startsWith("HEAD ")) return void socket.end("HTTP/1.1 200 OK\r\n\r\n");
        askedAt = performance.now();
        if (name !== "drip") return void clock.set(name);
        socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{");
        const dripping = setInterval(() => socket.write(" "), 500);
        socket.once("close", () => clearInterval(dripping));
      });
      const issuer = { url: `http://127.0.0.1:${port}` };
      await using program = startLogin(home, issuer, [], { env: clock.env });
      const query = new URL(await program.authUrl()).searchParams;
      const callback = new URLSearchParams({ code: "a-code", state: query.get("state") ?? "" });
      assert.equal((await get(`${query.get("redirect_uri")}?${callback}`)).status, 504);
      const ended = await program.ended;
      assert.equal(ended.exitCode, 5, ended.stderr);
      assert.match(ended.stderr, /error\[RESPONSE_TIMEOUT\]/);
      const tookMs = performance.now() - askedAt;
      // The program's half minute began before its request came.
      assert.ok(tookMs > 20_000, `${tookMs} ms`);
      await assertUntouched(home);
    });
  },
);
