import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../src/errors.ts";
import { chooseProxy } from "../src/proxy.ts";
import { times } from "./testing/thorough.ts";
import { verifies } from "./testing/verifies.ts";

const ISSUER = new URL("https://auth.issuer.test/oauth/token");

test("the variables are read in either case, the lower one first, HTTPS_PROXY before ALL_PROXY", () => {
  const rows: [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ HTTPS_PROXY: "" }, undefined],
    [{ HTTP_PROXY: "http://no:1" }, undefined],
    [{ ALL_PROXY: "http://all:1" }, "ALL_PROXY all:1"],
    [{ ALL_PROXY: "http://all:1", HTTPS_PROXY: "http://https:2" }, "HTTPS_PROXY https:2"],
    [{ HTTPS_PROXY: "http://big:2", https_proxy: "small:3" }, "https_proxy small:3"],
    [{ https_proxy: "http://[::1]:8080/" }, "https_proxy ::1:8080"],
    [{ https_proxy: "http://plain" }, "https_proxy plain:80"],
  ];
  for (const [env, wanted] of rows) {
    const found = chooseProxy(env, ISSUER);
    assert.equal(found && `${found.variable} ${found.host}:${found.port}`, wanted);
  }
});

verifies("S34", "no proxy is taken for loopback, nor for what NO_PROXY lists", () => {
  const HTTPS_PROXY = "http://proxy.test:1";
  for (const host of ["127.0.0.1:9", "127.9.9.9", "localhost", "a.localhost", "[::1]:9"]) {
    assert.equal(chooseProxy({ HTTPS_PROXY }, new URL(`https://${host}/`)), undefined);
  }
  assert.equal(chooseProxy({ HTTPS_PROXY }, new URL("http://127.0.0.1/")), undefined);
  const rows: [NO_PROXY: string, url: string, isExcepted: boolean][] = [
    ["*", "https://a.test", true],
    ["a.test", "https://a.test", true],
    ["A.Test", "https://b.a.test", true],
    [".a.test", "https://b.a.test", true],
    ["*.a.test", "https://b.a.test", true],
    ["a.test", "https://ba.test", false],
    ["x, a.test:443", "https://a.test", true],
    ["a.test:8443", "https://a.test", false],
    ["10.0.0.0/8", "https://10.1.2.3", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["10.0.0.0/99", "https://10.1.2.3", false],
    ["10.0.0.0/", "https://11.1.2.3", false],
    ["fe80::1%eth0", "https://[fe80::1]", true],
    ["fe80::%eth0/10", "https://[fe80::1]", true],
    ["10.1.2.3", "https://10.1.2.3", true],
    ["fd00::/8", "https://[fd00::1]", true],
    ["fd00::1", "https://[fd00::1]", true],
    ["fd00::/8", "https://10.1.2.3", false],
    ["", "https://a.test", false],
    [",,", "https://a.test", false],
  ];
  for (const [NO_PROXY, url, isExcepted] of rows) {
    const found = chooseProxy({ HTTPS_PROXY, NO_PROXY }, new URL(url));
    assert.equal(found === undefined, isExcepted, `${NO_PROXY} ${url}`);
    assert.equal(
      chooseProxy({ HTTPS_PROXY, no_proxy: NO_PROXY }, new URL(url)) === undefined,
      isExcepted,
    );
  }
});

verifies(
  "S34",
  "a proxy that cannot be used is told by its variable, and its password never",
  () => {
    const rows: [string, string][] = [
      ["socks5://me:canary-pw@h:1", "PROXY_UNSUPPORTED"],
      ["socks://h:1", "PROXY_UNSUPPORTED"],
      ["https://me:canary-pw@h:1", "PROXY_UNSUPPORTED"],
      ["http://me:canary-pw@h:99999", "PROXY_INVALID"],
      ["http://me:canary-pw@h:1/path", "PROXY_INVALID"],
      ["http://me:canary-pw%zz@h:1", "PROXY_INVALID"],
      ["http://me:canary-pw @h:1", "PROXY_INVALID"],
      ["http://", "PROXY_INVALID"],
    ];
    for (const [value, code] of rows) {
      assert.throws(() => chooseProxy({ ALL_PROXY: value }, ISSUER), (thrown) => {
        assert.ok(thrown instanceof LoginError);
        assert.equal(thrown.code, code, value);
        assert.equal(thrown.exitCode, 2);
        assert.match(thrown.message, /ALL_PROXY/);
        assert.match(thrown.hint, /ALL_PROXY/);
        assert.ok(!`${thrown.message}${thrown.reason}${thrown.hint}`.includes("canary-pw"));
        return true;
      });
    }
  },
);

test("whatever the variables hold, there is a proxy, none, or one of our errors", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (proxy, except) => {
      for (const HTTPS_PROXY of [proxy, `http://${proxy}`, `http://${proxy}@h:1`]) {
        try {
          const found = chooseProxy({ HTTPS_PROXY, NO_PROXY: except }, ISSUER);
          // What goes into a header is base64.
          assert.match(found?.authorization ?? "Basic x", /^Basic [\w+/=]*$/);
        } catch (thrown) {
          assert.ok(thrown instanceof LoginError, String(thrown));
        }
      }
    }),
    { seed: 6, numRuns: times(300, 5_000) },
  );
});
