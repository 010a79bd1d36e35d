import assert from "node:assert/strict";
import { obtainCallback, visit } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { ANSWERS, get, sendRaw } from "./testing/http_client.ts";
import { header, startIssuer } from "./testing/issuer.ts";
import { occupy } from "./testing/occupant.ts";
import { runProgram, startLogin, startProgram, SUBJECT } from "./testing/program.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 60_000 };

verifies(
  ["S1", "S6", "S7", "S9", "S11", "S12"],
  `${SUBJECT}: each attempt asks anew: a state, a challenge, one address, the code flow, no nonce`,
  SLOW,
  async () => {
    await using issuer = await startIssuer({
      // A nonce in the answer was not asked for, and is no reason to fail.
      idTokenClaims: (claims) => ({ ...claims, nonce: "n-0S6_WzA2Mj" }),
    });
    const states = new Set<string>();
    const challenges = new Set<string>();
    for (let attempt = 0; attempt < 3; attempt++) {
      await using home = await createHome();
      const own = ["--client-id", "app_EMoamEEZ73f0CkXaXp7hrann"];
      await using program = startLogin(home, issuer, own);
      const authUrl = await program.authUrl();
      assert.ok(authUrl.length <= 2_048);
      const query = new URL(authUrl).searchParams;
      assert.equal(query.get("response_type"), "code");
      assert.equal(query.get("code_challenge_method"), "S256");
      assert.match(query.get("state") ?? "", /^[\w-]{43}$/);
      assert.match(query.get("code_challenge") ?? "", /^[\w-]{43}$/);
      for (const name of ["nonce", "prompt", "client_secret", "code_verifier"]) {
        assert.equal(query.get(name), null, name);
      }
      states.add(query.get("state") ?? "");
      challenges.add(query.get("code_challenge") ?? "");
      await visit(authUrl);
      const ended = await program.ended;
      assert.equal(ended.exitCode, 0, ended.stderr);
      const form = new URLSearchParams(issuer.asked("token").at(-1)?.body);
      assert.equal(form.get("redirect_uri"), query.get("redirect_uri"));
      assert.match(form.get("code_verifier") ?? "", /^[\w-]{86}$/);
      assert.equal(form.get("grant_type"), "authorization_code");
    }
    assert.deepEqual([states.size, challenges.size], [3, 3]);
  },
);

verifies(
  ["S7", "S27"],
  `${SUBJECT}: the redirect address is where it listens, also on the second port`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using stranger = await occupy(1455);
    // As people start it: without a port of their own choice.
    const args = ["login", "--issuer", issuer.url, "--no-browser"];
    await using program = startProgram(home, args);
    const authUrl = await program.authUrl();
    const redirectUri = new URL(authUrl).searchParams.get("redirect_uri");
    assert.equal(redirectUri, "http://127.0.0.1:1457/auth/callback");
    await visit(authUrl);
    assert.equal((await program.ended).exitCode, 0);
    const form = new URLSearchParams(issuer.asked("token").at(-1)?.body);
    assert.equal(form.get("redirect_uri"), redirectUri);
    assert.equal(stranger.connections, 0);
  },
);

verifies(
  ["S2", "S3", "S4", "S8"],
  `${SUBJECT}: what is repeated, broken or half right ends nothing, and of two right answers one is exchanged`,
  SLOW,
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    await using program = startLogin(home, issuer);
    const callback = await obtainCallback(await program.authUrl());
    const state = new URL(callback).searchParams.get("state") ?? "";
    const mutations = [
      `${callback}&state=${state}`,
      `${callback}&state=x`,
      `${callback}&code=other`,
      `${callback}&iss=${encodeURIComponent(issuer.url)}`,
      callback.replace("?", "?code=other&"),
      callback.replace(state, state.slice(0, -1)),
      callback.replace(state, `${state}A`),
      callback.replace(state, state.toLowerCase()),
      callback.replace(state, `${state}%00`),
      callback.replace(state, ""),
      callback.replace("state=", "State="),
      callback.replace("state=", "state[]="),
    ];
    for (const url of mutations) assert.equal((await get(url)).status, 400, url);
    // Clients mend such addresses: these are sent as they are.
    const { port, pathname, search } = new URL(callback);
    for (const broken of ["&x=%", "&x=%ZZ", "&x=%ff", "&x=%c3%28"]) {
      const target = `GET ${pathname}${search}${broken} HTTP/1.1`;
      const reply = await sendRaw(
        Number(port),
        `${target}\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
        { quietMs: 150, ...ANSWERS },
      );
      assert.match(reply, /^HTTP\/1\.1 400 /, broken);
    }
    assert.equal(issuer.asked("token").length, 0);
    assert.ok(!(await home.list()).includes("auth.json"));

    const replies = await Promise.all([get(callback), get(callback), get(callback)]);
    assert.deepEqual(replies.map(({ status }) => status), [303, 303, 303]);
    assert.equal((await program.ended).exitCode, 0);
    assert.equal(issuer.asked("token").length, 1);
  },
);

verifies(
  ["S5", "S8"],
  `${SUBJECT}: an answer that names another issuer ends the sign-in, and its code goes nowhere`,
  SLOW,
  async () => {
    for (const iss of ["https://evil.test", "", "http://127.0.0.1", "javascript:alert(1)"]) {
      await using issuer = await startIssuer();
      await using home = await createHome();
      await using program = startLogin(home, issuer);
      const url = new URL(await obtainCallback(await program.authUrl()));
      url.searchParams.set("iss", iss);
      assert.equal((await get(url.href)).status, 400, iss);
      const { exitCode, stderr } = await program.ended;
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^error\[ISSUER_MISMATCH\]/m);
      assert.equal(issuer.asked("token").length, 0);
      assert.ok(!(await home.list()).includes("auth.json"));
    }
  },
);

/** What could be taken for https or for this machine, and is neither; and what an issuer's address may not have. */
const BAD_ISSUERS = [
  "",
  " ",
  "auth.openai.com",
  "//auth.openai.com",
  "http://auth.openai.com",
  "http://issuer.test",
  "http://localhost.evil.test",
  "http://localhost@evil.test",
  "http://127.0.0.1@evil.test",
  "http://127.0.0.1.evil.test",
  "http://127.0.0.2.evil.test:80",
  "http://[::2]",
  "http://[::ffff:1.2.3.4]",
  "http://0.0.0.0",
  "http://192.168.0.1",
  "http://10.0.0.1:1455",
  "http://169.254.169.254",
  "http://evil.test#127.0.0.1",
  "http://evil.test?localhost",
  "http://evil.test/127.0.0.1",
  "https://",
  "https:///path",
  "https://user@issuer.test",
  "https://user:password@issuer.test",
  "https://:password@issuer.test",
  "https://issuer.test?tenant=1",
  "https://issuer.test/#part",
  "https://issuer.test/?",
  "https://issu\u0000er.test",
  "https://issuer.test:99999",
  "https://issuer.test:port",
  "https://[::1",
  "https://exa mple.test",
  "ftp://issuer.test",
  "file:///etc/passwd",
  "data:text/html,x",
  "javascript:alert(1)",
  "ws://127.0.0.1",
  "wss://issuer.test",
  "blob:https://issuer.test/x",
  "unix:/run/issuer.sock",
];

verifies(
  "S10",
  `${SUBJECT}: an address that is no safe issuer is refused before anything is done`,
  { timeout: 120_000 },
  async () => {
    await using home = await createHome();
    // A process each: the executable is asked about all, the others about what differs most.
    const asked = SUBJECT === "executable" ? BAD_ISSUERS : BAD_ISSUERS.slice(3, 14);
    for (const address of asked.filter((one) => !one.includes("\u0000"))) {
      const args = ["login", `--issuer=${address}`, "--no-browser", "--port", "0"];
      const { exitCode, stdout, stderr } = await runProgram(home, args);
      // An empty one is none at all, and would be the default: it is refused, too.
      assert.equal(exitCode, 2, `${address}: ${stderr}`);
      assert.match(stderr, /^error\[/m);
      assert.equal(stdout, "");
      assert.doesNotMatch(stderr, /user:password|:password@|\/oauth\/authorize/);
    }
    assert.deepEqual(await home.list(), []);
  },
);

verifies(
  ["S10", "S72"],
  `${SUBJECT}: an address that is no safe issuer is not contacted either, though somebody listens there`,
  SLOW,
  async () => {
    await using home = await createHome();
    await using listener = await occupy(0, "0.0.0.0");
    const { port } = listener;
    const addresses = [
      `http://127.0.0.2:${port}`,
      `http://user@127.0.0.1:${port}`,
      `http://127.0.0.1:${port}?x`,
      `http://127.0.0.1:${port}#x`,
      `ws://127.0.0.1:${port}`,
    ];
    for (const address of addresses) {
      for (const way of [["--no-browser", "--port", "0"], ["--device-auth"]]) {
        const { exitCode, stderr } = await runProgram(home, ["login", "--issuer", address, ...way]);
        assert.equal(exitCode, 2, `${address}: ${stderr}`);
        assert.match(stderr, /^error\[ISSUER_INVALID\]/m);
      }
    }
    assert.deepEqual([listener.connections, listener.received], [0, []]);
    assert.deepEqual(await home.list(), []);
  },
);

verifies(
  "S11",
  `${SUBJECT}: whatever a client or a workspace is called stays inside its own parameter`,
  SLOW,
  async () => {
    const visible = "a&state=x#\"'<>%\\;?/+=";
    const hostile = `${visible} é🔑`;
    await using issuer = await startIssuer({ clientId: visible });
    await using home = await createHome();
    const own = ["--client-id", visible, "--expect-workspace", hostile];
    await using program = startLogin(home, issuer, own);
    const url = new URL(await program.authUrl());
    assert.equal(url.searchParams.getAll("state").length, 1);
    assert.equal(url.searchParams.get("client_id"), visible);
    assert.equal(url.searchParams.get("allowed_workspace_id"), hostile);
    assert.equal(url.hash, "");
    await visit(url.href);
    const { exitCode, stderr } = await program.ended;
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /WORKSPACE_MISMATCH/);
    const [request] = issuer.asked("token");
    assert.ok(request);
    assert.equal(new URLSearchParams(request.body).get("client_id"), visible);
    assert.match(header(request, "content-type"), /^application\/x-www-form-urlencoded/);
  },
);
