import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import {
  AuthStatusParams,
  CancelParams,
  InitializeParams,
  ReadParams,
  StartParams,
} from "../../src/app_server_params.ts";
import { parseArguments } from "../../src/commands/arguments.ts";
import { resolveConfig } from "../../src/config.ts";
import { parseDuration } from "../../src/duration.ts";
import { createRpcPeer } from "../../src/json_rpc.ts";
import { createLineSplitter, type Line } from "../../src/line_splitter.ts";
import { isSameIssuer, parseIssuer } from "../../src/oauth/issuer.ts";
import { maskKey, printable } from "../../src/printable.ts";
import { chooseProxy } from "../../src/proxy.ts";
import { withoutSecrets } from "../../src/redaction.ts";
import { parseSecret } from "../../src/stdin_secret.ts";
import { detectSurroundings, sshCommand } from "../../src/surroundings.ts";
import { createWorld } from "../testing/world.ts";
import { type FuzzProperty, fuzzProperty, MARK, parsed } from "./fuzz_property.ts";
import { hostileJson, hostileText, nasty } from "./hostile.ts";

const TYPED = { mayRepeat: true };
const MAX_LINE_BYTES = 4_096;
const REQUEST = { jsonrpc: "2.0", id: 1, method: "account/read", params: { refreshToken: false } };
const START = { type: "chatgpt", codexStreamlinedLogin: true, appBrand: "codex", apiKey: MARK };
const FILES = { exists: (): boolean => false, read: (): string => "" };
const SECRET = {
  ...{ name: "API key", flag: "--with-api-key", variable: "OPENAI_API_KEY" },
  ...{ code: "API_KEY_INVALID", isGiven: "is given" },
} as unknown as Parameters<typeof parseSecret>[1];

const anEnvironment = fc.dictionary(
  fc.constantFrom(
    ...["CODEX_HOME", "CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"],
    ...["CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "CODEX_AUTHAPI_BASE_URL", "TERM", "TERM_PROGRAM"],
    ...["SSH_CONNECTION", "USER", "CODESPACE_NAME", "WSL_DISTRO_NAME", "CI", "DISPLAY", "HOME"],
  ),
  fc.oneof(
    hostileText("https://issuer.test/oauth/token", "10.0.0.1 50000 10.0.0.2 22", "/tmp"),
    nasty,
  ),
  { maxKeys: 5 },
);

export const PROGRAM_INPUT: readonly FuzzProperty[] = [
  fuzzProperty(
    "lines of JSON-RPC",
    ["S73"],
    fc.array(hostileJson(REQUEST), { maxLength: 12 }),
    async (lines) => {
      const sent: string[] = [];
      const peer = createRpcPeer(
        {
          request: (method) =>
            method === "account/read" ? Promise.resolve({}) : Promise.reject(new Error(MARK)),
          notification: () => {},
        },
        {
          send: (line) => void sent.push(line),
          now: () => 0,
          sleep: () => Promise.resolve(),
          ignoresUnreadable: false,
        } as Parameters<typeof createRpcPeer>[1],
      );
      const split = createLineSplitter(MAX_LINE_BYTES, (line: Line) => peer.receive(line));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      for (let at = 0; at < bytes.length; at += 1_000) split(bytes.subarray(at, at + 1_000));
      split();
      await new Promise((resolve) => setImmediate(resolve));
      for (const line of sent) {
        const answer = JSON.parse(line);
        assert.ok("result" in answer || "error" in answer || "method" in answer);
        if (answer.error) assert.ok(!JSON.stringify(answer.error).includes(MARK));
      }
    },
  ),
  fuzzProperty("parameters of a method", ["S73"], hostileJson(START), (text) => {
    let params: unknown;
    try {
      params = JSON.parse(text);
    } catch {
      return;
    }
    for (
      const schema of [InitializeParams, StartParams, CancelParams, ReadParams, AuthStatusParams]
    ) {
      v.safeParse(schema as v.GenericSchema, params);
    }
  }),
  fuzzProperty(
    "arguments",
    ["S62", "S65"],
    fc.array(
      fc.oneof(
        fc.constantFrom(
          "login",
          "status",
          "token",
          "--json",
          "--port",
          "--issuer",
          "-c",
          "--",
          "--timeout",
        ),
        hostileText("--port=1455", "--timeout=10m", "profile", "--issuer=https://issuer.test"),
      ),
      { maxLength: 6 },
    ),
    async (args) => {
      await parsed(() => parseArguments(args), TYPED);
    },
  ),
  fuzzProperty("the environment", ["S71"], anEnvironment, async (env) => {
    const world = await createWorld({ env });
    await parsed(() => resolveConfig(world, {}), TYPED);
    const { noticed, ways } = detectSurroundings({ env, platform: "linux" }, FILES, 1455);
    for (const text of [...noticed, ...ways, sshCommand({ env }, 1455)]) {
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
      // It is shown to be run: nothing in it may be a shell's.
      assert.doesNotMatch(text, /[;|&$`<>\\'"]/);
    }
  }),
  fuzzProperty(
    "a proxy's variables",
    ["S34"],
    fc.record({
      https_proxy: hostileText(
        `http://me:${MARK}@proxy.test:3128`,
        "proxy.test:80",
        "socks5://h:1",
      ),
      no_proxy: hostileText(
        "*",
        ".example.com,10.0.0.0/8",
        "fe80::1%eth0",
        "[::1]:443",
        "localhost",
      ),
      host: fc.constantFrom(
        "issuer.test",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "a.localhost",
        "[fe80::1]",
      ),
    }),
    async ({ https_proxy, no_proxy, host }) => {
      const url = new URL(`https://${host}/x`);
      const proxy = await parsed(() => chooseProxy({ https_proxy, no_proxy }, url));
      if (!proxy) return;
      assert.doesNotMatch(host, /^(127\.|\[::1\]|(.*\.)?localhost$)/);
      assert.ok(proxy.port > 0 && proxy.port < 65_536);
    },
  ),
  fuzzProperty(
    "an issuer's address",
    ["S10"],
    hostileText(
      "https://auth.openai.com",
      "http://127.0.0.1:8080/tenant/",
      "http://[::1]:1",
      "http://localhost.evil.test",
      "http://localhost@evil.test",
    ),
    async (text) => {
      const issuer = await parsed(() => parseIssuer(text), TYPED);
      if (!issuer) return;
      const url = new URL(issuer.base);
      assert.ok(
        url.protocol === "https:" ||
          (url.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)),
        issuer.base,
      );
      assert.equal(url.username + url.password + url.search + url.hash, "");
      assert.ok(isSameIssuer(issuer.given, issuer.given));
    },
  ),
  fuzzProperty("a duration", ["S26"], hostileText("10m", "1h30m", "0", "500ms"), async (text) => {
    const ms = await parsed(() => parseDuration(text, "--timeout"), TYPED);
    assert.ok(ms === undefined || (Number.isFinite(ms) && ms >= 0));
  }),
  fuzzProperty(
    "a key on stdin",
    ["S62"],
    hostileText(`sk-${MARK}\n`, `at-${MARK}`),
    async (text) => {
      const secret = await parsed(() => parseSecret(Buffer.from(text), SECRET));
      if (secret !== undefined) assert.match(secret, /^[^\s\p{C}]+$/u);
    },
  ),
  fuzzProperty("a text for people", ["S65"], hostileText("plain words", MARK), (text) => {
    const shown = printable(text, 300, [MARK]);
    assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u);
    assert.ok([...shown].length <= 301 && !shown.includes(MARK));
    assert.equal(printable(shown, 302, [MARK]), shown);
    assert.ok(!withoutSecrets(text, [MARK]).includes(MARK));
    const masked = maskKey(text);
    assert.ok(text.length < 12 || !masked.includes(text));
  }),
];
