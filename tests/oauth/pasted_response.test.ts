import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readPastedResponse } from "../../src/oauth/pasted_response.ts";

const CODE = "ac_0123456789abcdef.ABC-xyz~1";
const STATE = "s".repeat(43);
const QUERY = `code=${CODE}&scope=openid%20profile&state=${STATE}`;
const ADDRESS = `http://127.0.0.1:1455/auth/callback?${QUERY}`;

test("the redirect address is understood however terminals and people leave it", () => {
  const forms = [
    ADDRESS,
    `  ${ADDRESS}\r\n`,
    `"${ADDRESS}"`,
    `'${ADDRESS}'`,
    `\`${ADDRESS}\``,
    `<${ADDRESS}>`,
    `(${ADDRESS})`,
    ADDRESS.replace(/(.{38})/g, "$1\n"),
    ADDRESS.replace(/(.{38})/g, "$1\r\n    "),
    ADDRESS.replaceAll("&", "&amp;"),
    `curl '${ADDRESS}'`,
    `curl -L "${ADDRESS}"`,
    `curl ${ADDRESS}`,
    ADDRESS.slice("http://".length),
    `/auth/callback?${QUERY}`,
    `?${QUERY}`,
    QUERY,
    `http://localhost:1455/auth/callback?state=${STATE}&code=${CODE}`,
    `${ADDRESS}#_=_`,
    ADDRESS.replace("1455", "1457\u200b"),
  ];
  for (const form of forms) {
    const found = readPastedResponse(form);
    assert.equal(found.kind, "parameters", form);
    assert.ok(found.kind === "parameters");
    assert.deepEqual(
      [found.parameters.get("code"), found.parameters.get("state")],
      [CODE, STATE],
      form,
    );
  }
});

test("a bare code is taken, in quotes and wrapped too", () => {
  for (const form of [CODE, ` ${CODE}\n`, `"${CODE}"`, `${CODE.slice(0, 10)}\n${CODE.slice(10)}`]) {
    assert.deepEqual(readPastedResponse(form), { kind: "code", code: CODE });
  }
});

test("what is no redirect address is named", () => {
  for (
    const [text, reason] of [
      ["", /empty/],
      [" \n\t", /empty/],
      ["yes", /neither the redirect address nor a code/],
      ["https://auth.openai.com/log-in", /neither the redirect address nor a code/],
      ["what am I supposed to paste here?", /no code in it/],
      [
        `https://auth.openai.com/oauth/authorize?response_type=code&state=${STATE}`,
        /address to open/,
      ],
      [`http://127.0.0.1:1455/auth/callback?state=${STATE}`, /no code in it/],
      ["x".repeat(16_385), /too long/],
    ] as const
  ) {
    const found = readPastedResponse(text);
    assert.equal(found.kind, "unusable", text.slice(0, 80));
    assert.match(found.kind === "unusable" ? found.reason : "", reason);
  }
});

test("readPastedResponse() takes anything without failing, and repeats none of it", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary" }), fc.webUrl({ withQueryParameters: true })),
      (text) => {
        const found = readPastedResponse(text);
        if (found.kind === "unusable" && text.trim().length > 40) {
          assert.ok(
            !found.reason.includes(text),
          );
        }
        if (found.kind === "code") assert.match(found.code, /^[\x21-\x7e]{16,}$/);
      },
    ),
  );
});
