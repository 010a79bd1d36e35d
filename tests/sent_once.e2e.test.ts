import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { deferred } from "../src/deferred.ts";
import { assertNoCanary } from "./testing/canaries.ts";
import { sleep } from "../src/system_world.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import {
  assertCleanPlaces,
  assertUntouched,
  complete,
  EARLIER,
  type EndedLogin,
  placesOf,
} from "./testing/hostile_login.ts";
import { startIssuer } from "./testing/issuer.ts";
import { answer, FAULTS_CA, FaultyNetwork } from "./testing/network_faults.ts";
import { visit } from "./testing/fake_browser.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { tokensFor } from "./testing/scripted_issuer.ts";
import { together } from "./testing/together.ts";
import { ADA } from "./testing/users.ts";
import { verifies } from "./testing/verifies.ts";

const SLOW = { timeout: 240_000 };
const URL_OF_ISSUER = "https://issuer.test";
const CODE = "ac_canary-code-0123456789";
const PASSWORD = "proxy-canary+/pw";

/** What a proxy of ours does with the tunnel that it is armed for; the others are led on. */
type Trouble = "no tunnel" | "cut before TLS" | "cut within TLS" | "cut after the request" | "none";

/** An https issuer behind a proxy that makes trouble once, and what came to both. */
interface Scene {
  readonly env: Record<string, string>;
  /** Token requests that came to the issuer whole. */
  readonly requests: string[];
  /** Heads that came to the proxy. */
  readonly tunnels: string[];
  readonly tokens: Record<string, string>;
  /** Somebody has asked whether the issuer is there, as a sign-in does while a person is at the browser. */
  readonly greeted: Promise<void>;
  /** The next tunnel is the one. */
  arm(): void;
}

async function prepare(network: FaultyNetwork, trouble: Trouble): Promise<Scene> {
  const tokens = tokensFor(URL_OF_ISSUER, ADA, Date.now());
  const requests: string[] = [];
  const tunnels: string[] = [];
  const greeted = deferred<void>();
  let troubled: Socket | undefined;
  const port = await network.listenTls("issuer", (socket, request) => {
    if (!/^POST \/oauth\/token /.test(request)) {
      greeted.resolve();
      return answer("200 OK", "{}")(socket, request);
    }
    requests.push(request);
    if (trouble === "cut after the request" && requests.length === 1) {
      return void troubled?.resetAndDestroy();
    }
    // The key that is asked for beside it is a kindness.
    const isExchange = request.includes("token-exchange");
    answer(isExchange ? "400 No" : "200 OK", JSON.stringify(isExchange ? {} : tokens))(
      socket,
      request,
    );
  });
  let isArmed = false;
  const proxy = await network.listen((socket, head) => {
    tunnels.push(head);
    const isTroubled = isArmed && trouble !== "none";
    isArmed = false;
    if (isTroubled && trouble === "no tunnel") return void socket.resetAndDestroy();
    if (isTroubled) troubled = socket;
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (isTroubled && trouble === "cut before TLS") {
        socket.once("data", () => socket.resetAndDestroy());
      } else if (isTroubled && trouble === "cut within TLS") {
        socket.once("data", (bytes) => onward.write(bytes));
        onward.once("data", () => socket.resetAndDestroy());
      } else socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.once("close", () => onward.destroy());
  });
  const address = `http://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy}`;
  return {
    env: {
      HTTPS_PROXY: address,
      NO_PROXY: "fe80::1%eth0,10.0.0.0/8",
      NODE_EXTRA_CA_CERTS: FAULTS_CA,
    },
    requests,
    tunnels,
    tokens,
    greeted: greeted.promise,
    arm: () => void (isArmed = true),
  };
}

async function signInBy(
  home: TestHome,
  { env, greeted, arm }: Pick<Scene, "env" | "greeted" | "arm">,
): Promise<EndedLogin> {
  await home.writeAuth(EARLIER);
  await using program = startLogin(home, { url: URL_OF_ISSUER }, ["--verbose"], { env });
  return await complete(program, async (authUrl) => {
    // A program that asked in vain for three seconds asks no more.
    await Promise.race([greeted, sleep(10_000)]);
    arm();
    const query = new URL(authUrl).searchParams;
    const callback = new URLSearchParams({ code: CODE, state: query.get("state") ?? "" });
    return `${query.get("redirect_uri")}?${callback}`;
  });
}

function secretsOf({ tokens, requests }: Scene): string[] {
  const verifiers = requests.flatMap((request) =>
    /code_verifier=([\w-]+)/.exec(request)?.[1] ?? []
  );
  const { token_type: _, ...secret } = tokens;
  return [...Object.values(secret), ...verifiers, CODE, PASSWORD];
}

const TROUBLES =
  (["no tunnel", "cut before TLS", "cut within TLS", "cut after the request", "none"] as const)
    .map((trouble) => ({ name: trouble, trouble }));

/** Requests of the kind whose repetition would cost something. */
const withGrant = ({ requests }: Scene, grant: string): string[] =>
  requests.filter((request) => request.includes(grant));

verifies(
  ["S34", "S35"],
  `${SUBJECT}: through a proxy a code is sent once more only when nothing of it left`,
  SLOW,
  async () => {
    await together(TROUBLES, async ({ trouble }) => {
      await using network = new FaultyNetwork();
      await using home = await createHome();
      const scene = await prepare(network, trouble);
      const ended = await signInBy(home, scene);
      const told = `${trouble}\n${ended.stderr}`;
      assert.equal(withGrant(scene, "grant_type=authorization_code").length, 1, told);
      if (trouble === "cut after the request") {
        assert.match(ended.stderr, /error\[CONNECTION_RESET\]/, told);
        assert.equal(ended.exitCode, 5, told);
        assert.doesNotMatch(ended.stderr, /trying again/);
        await assertUntouched(home);
      } else {
        assert.equal(ended.exitCode, 0, told);
        assert.equal(/trying again/.test(ended.stderr), trouble !== "none", told);
        assert.equal((await home.authJson())["auth_mode"], "chatgpt");
      }
      for (const head of scene.tunnels) {
        assert.match(head, /^CONNECT issuer\.test:443 HTTP\/1\.1\r\n/);
        const basic = Buffer.from(`me:${PASSWORD}`).toString("base64");
        assert.ok(head.includes(`\r\nProxy-Authorization: Basic ${basic}\r\n`));
        assert.ok(!head.includes(CODE));
      }
      const places = await placesOf(home, ended);
      assertNoCanary(places, secretsOf(scene));
      assertCleanPlaces(places);
    });
  },
);

verifies(
  ["S34", "S35"],
  `${SUBJECT}: through a proxy a refresh is sent once more only when nothing of it left`,
  SLOW,
  async () => {
    await together(TROUBLES, async ({ trouble }) => {
      await using network = new FaultyNetwork();
      await using home = await createHome();
      const scene = await prepare(network, trouble);
      const earlier = tokensFor(URL_OF_ISSUER, ADA, Date.now() - 86_400_000);
      const { token_type: _, ...tokens } = earlier;
      await home.writeAuth({
        auth_mode: "chatgpt",
        OPENAI_API_KEY: null,
        tokens: {
          ...tokens,
          oauth_provenance: { issuer: URL_OF_ISSUER, client_id: "app_EMoamEEZ73f0CkXaXp7hrann" },
          login_owner_id: "b3duZXItb2YtYS10ZXN0LWxvZ2lu",
          account_id: ADA.accountId,
        },
        last_refresh: "2026-01-01T00:00:00.000000000Z",
      });
      const before = await home.readAuth();
      scene.arm();
      const ended = await runProgram(home, ["refresh", "--verbose"], { env: scene.env });
      const told = `${trouble}\n${ended.stderr}`;
      assert.equal(withGrant(scene, '"grant_type":"refresh_token"').length, 1, told);
      assert.equal(scene.requests.length, 1, told);
      if (trouble === "cut after the request") {
        assert.equal(ended.exitCode, 5, told);
        assert.match(ended.stderr, /error\[CONNECTION_RESET\]/, told);
        assert.equal(await home.readAuth(), before);
      } else {
        assert.equal(ended.exitCode, 0, told);
        assert.ok((await home.readAuth()).includes(scene.tokens["refresh_token"] ?? "-"));
      }
      const places = await placesOf(home, ended);
      assertNoCanary(places, [...secretsOf(scene), tokens["refresh_token"] ?? ""]);
    });
  },
);

verifies("S34", `${SUBJECT}: no proxy is asked for an issuer on loopback`, SLOW, async () => {
  await using network = new FaultyNetwork();
  const seen: string[] = [];
  const proxy = await network.listen((socket, head) => {
    seen.push(head);
    socket.end("HTTP/1.1 502 No\r\n\r\n");
  });
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
  // The slash in the password makes it no address, which must not matter either.
  const env = Object.fromEntries(
    names.flatMap((name) => [name, name.toLowerCase()]).map((name) => [
      name,
      `http://me:${PASSWORD}@127.0.0.1:${proxy}`,
    ]),
  );
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startLogin(home, issuer, [], {
    env: { ...env, NODE_USE_ENV_PROXY: "1", NO_PROXY: "fe80::1%eth0" },
  });
  await visit(await program.authUrl());
  const ended = await program.ended;
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.deepEqual(seen, []);
});

verifies(
  ["S34", "S65"],
  `${SUBJECT}: a proxy that repeats our password in its answer has it shown nowhere`,
  SLOW,
  async () => {
    const basic = Buffer.from(`me:${PASSWORD}`).toString("base64");
    const rows = [403, 407, 502].map((status) => ({ name: `${status}`, status }));
    await together(rows, async ({ status }) => {
      await using network = new FaultyNetwork();
      await using home = await createHome();
      const proxy = await network.listen((socket) =>
        socket.end(
          `HTTP/1.1 ${status} ${PASSWORD}\x1b[31m ${basic}\r\nx-request-id: ${basic}\r\n` +
            `proxy-authenticate: Basic realm="${PASSWORD}\x1b]0;x\x07"\r\n\r\n<html>${PASSWORD}`,
        )
      );
      const env = { ALL_PROXY: `http://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy}` };
      const ended = await signInBy(home, { env, greeted: Promise.resolve(), arm: () => {} });
      assert.equal(ended.exitCode, 5, ended.stderr);
      const code = status === 407 ? "PROXY_AUTH" : "PROXY_REFUSED";
      assert.match(ended.stderr, new RegExp(`error\\[${code}\\][^]*HTTP ${status}`));
      await assertUntouched(home);
      const places = await placesOf(home, ended);
      assertNoCanary(places, [PASSWORD, CODE]);
      assertCleanPlaces(places);
    });
  },
);
