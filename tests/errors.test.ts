import { readdirSync, readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_KINDS } from "../src/error_kinds.ts";
import { LoginError, systemCode, toLoginError } from "../src/errors.ts";
import { verifies } from "./testing/verifies.ts";

test("every error has a documented exit code, a proper page status, a title and a next step", () => {
  const exits = new Set([1, 2, 3, 4, 5, 6, 70, 129, 130, 143]);
  for (const [code, kind] of Object.entries(ERROR_KINDS)) {
    assert.match(code, /^[A-Z][A-Z_]+$/);
    assert.ok(exits.has(kind.exit), code);
    assert.ok(kind.page >= 400 && kind.page <= 599, code);
    assert.ok(kind.title && kind.hint, code);
  }
});

verifies("S69", "toLoginError() tells the class of a foreign error and not its text", () => {
  const error = toLoginError(new TypeError("token=secret"));
  assert.equal(error.code, "INTERNAL");
  assert.equal(error.exitCode, 70);
  assert.ok(!JSON.stringify([error.message, error.reason]).includes("secret"));
  assert.equal(toLoginError("text").reason, "string");
  const own = new LoginError("DNS", "x");
  assert.equal(toLoginError(own), own);
});

test("systemCode() takes a code only if it is text", () => {
  assert.equal(systemCode({ code: "ENOENT" }), "ENOENT");
  for (const value of [null, undefined, {}, { code: 5 }, "ENOENT"]) {
    assert.equal(systemCode(value), undefined);
  }
});

test("README has every code with its exit code, and some test looks for each", () => {
  const root = new URL("../", import.meta.url);
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const tests = readdirSync(new URL("tests/", root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !name.startsWith("errors."))
    .map((name) => readFileSync(new URL(`tests/${name}`, root), "utf8")).join("\n");
  for (const [code, { exit }] of Object.entries(ERROR_KINDS)) {
    assert.match(readme, new RegExp(`\\| \`${code}\` +\\| ${exit} +\\|`), `README lacks ${code}`);
    assert.match(tests, new RegExp(`\\b${code}\\b`), `no test looks for ${code}`);
  }
  const listed = [...readme.matchAll(/^\| `([A-Z_]+)` +\| \d+ +\|/gm)].map(([, code]) => code);
  assert.deepEqual([...listed].sort(), Object.keys(ERROR_KINDS).sort());
});
