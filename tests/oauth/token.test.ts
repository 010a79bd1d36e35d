import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LoginError } from "../../src/errors.ts";
import { exchangeAuthorizationCode, readTokenResponse } from "../../src/oauth/token.ts";
import type { FetchInit } from "../../src/world.ts";
import { createAttempt } from "../testing/attempt.ts";
import { verifies } from "../testing/verifies.ts";

const GOOD = { id_token: "i.d.t", access_token: "at", refresh_token: "rt", token_type: "Bearer" };
const SIGNAL = new AbortController().signal;

function answer(body: unknown, type = "application/json"): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { headers: { "content-type": type } });
}

test("exchangeAuthorizationCode() sends the reference's members in the reference's order", async () => {
  const attempt = await createAttempt();
  const asked: [string, FetchInit][] = [];
  await exchangeAuthorizationCode(
    (url, init) => {
      asked.push([url, init]);
      return Promise.resolve(answer(GOOD));
    },
    attempt,
    "a/b c",
    1_000,
    SIGNAL,
  );
  const [[url, init] = ["", {}]] = asked;
  assert.equal(url, "https://auth.openai.com/oauth/token");
  assert.deepEqual(init.headers, {
    "content-type": "application/x-www-form-urlencoded",
    accept: "*/*",
  });
  assert.equal(
    init.body,
    "grant_type=authorization_code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&code=a%2Fb+c" +
      `&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&code_verifier=${attempt.codeVerifier}`,
  );
});

verifies(
  "S36",
  "exchangeAuthorizationCode() tells status and words of a refusal, and nothing that was sent",
  async () => {
    const attempt = await createAttempt();
    const refuse =
      (status: number, body: string, type = "application/json") => (): Promise<Response> =>
        Promise.resolve(new Response(body, { status, headers: { "content-type": type } }));
    const rows: [ReturnType<typeof refuse>, string][] = [
      [
        refuse(400, '{"error":"invalid_grant","error_description":"gone"}'),
        "HTTP 400, invalid_grant: gone",
      ],
      [
        refuse(400, '{"error":{"code":"token_expired","message":"too late"}}'),
        "HTTP 400, token_expired: too late",
      ],
      [refuse(401, '{"error":"x"}'), "HTTP 401, x"],
      [refuse(500, "<html>oops</html>", "text/html"), "HTTP 500, an HTML page instead of JSON"],
      [refuse(502, ""), "HTTP 502"],
      [refuse(503, "plain \x1b[31mwords"), "HTTP 503, plain [31mwords"],
      [refuse(302, ""), "HTTP 302"],
      [refuse(201, JSON.stringify(GOOD)), "HTTP 201"],
      [
        refuse(
          400,
          `{"error_description":"SEC\u200bRETCODE ${attempt.codeVerifier.slice(0, 9)}\u2060${
            attempt.codeVerifier.slice(9)
          }"}`,
        ),
        "HTTP 400, [redacted] [redacted]",
      ],
      [
        refuse(400, `{"error_description":"SECRETCODE ${attempt.codeVerifier}"}`),
        "HTTP 400, [redacted] [redacted]",
      ],
    ];
    for (const [fetch, reason] of rows) {
      await assert.rejects(
        exchangeAuthorizationCode(fetch, attempt, "SECRETCODE", 1_000, SIGNAL),
        { code: /^HTTP 5/.test(reason) ? "ISSUER_FAULT" : "TOKEN_ENDPOINT", reason },
      );
    }
  },
);

test("readTokenResponse() reads the tokens and the issuer's clock", async () => {
  const response = new Response(JSON.stringify({ ...GOOD, extra: 1 }), {
    headers: {
      "content-type": "application/json; charset=utf-8",
      date: "Sat, 21 Nov 2026 00:00:00 GMT",
    },
  });
  assert.deepEqual(await readTokenResponse(response), {
    idToken: "i.d.t",
    accessToken: "at",
    refreshToken: "rt",
    answeredAt: Date.UTC(2026, 10, 21),
  });
});

verifies(
  "S32",
  "readTokenResponse() refuses each member when it is missing, null, empty or of another type",
  async () => {
    for (const name of ["id_token", "access_token", "refresh_token"]) {
      for (const value of [undefined, null, "", 5, {}, ["x"], "a\nb", "é"]) {
        await assert.rejects(
          readTokenResponse(answer({ ...GOOD, [name]: value })),
          (error: LoginError) => {
            assert.equal(error.code, "TOKEN_RESPONSE_INVALID");
            return error.reason === `its member "${name}" is missing or unusable`;
          },
        );
      }
    }
  },
);

verifies(
  "S32",
  "readTokenResponse() refuses another type of token, of content, and what is no JSON object",
  async () => {
    const rows = [
      answer({ ...GOOD, token_type: "mac" }),
      answer(GOOD, "text/html"),
      answer(GOOD, "text/plain"),
      answer(GOOD, "application/jsonp"),
      answer(GOOD, ""),
      answer("not json"),
      answer("[]"),
      answer("null"),
      answer(""),
      answer(`${"[".repeat(50)}${"]".repeat(50)}`),
    ];
    for (const response of rows) {
      const isPage = /html/.test(response.headers.get("content-type") ?? "");
      await assert.rejects(readTokenResponse(response), {
        code: isPage ? "CAPTIVE_PORTAL" : "TOKEN_RESPONSE_INVALID",
      });
    }
    assert.ok(await readTokenResponse(answer({ ...GOOD, token_type: "bearer" })));
    assert.ok(await readTokenResponse(answer({ ...GOOD, token_type: undefined })));
  },
);

verifies(
  ["S32", "S36"],
  "readTokenResponse() gives tokens or a LoginError, whatever JSON it is given, and repeats none of it",
  async () => {
    await fc.assert(fc.asyncProperty(fc.jsonValue(), async (value) => {
      try {
        const tokens = await readTokenResponse(answer(value));
        assert.ok(tokens.idToken && tokens.accessToken && tokens.refreshToken);
      } catch (thrown) {
        assert.ok(thrown instanceof LoginError);
        assert.equal(thrown.code, "TOKEN_RESPONSE_INVALID");
      }
    }));
  },
);
