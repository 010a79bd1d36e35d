import assert from "node:assert/strict";
import fc from "fast-check";
import * as oauth4webapi from "oauth4webapi";
import {
  type AuthorizationResponse,
  buildAuthorizationUrl,
  validateAuthorizationResponse,
} from "../../src/oauth/authorization.ts";
import { createAttempt } from "../testing/attempt.ts";
import { times } from "../testing/thorough.ts";
import { verifies } from "../testing/verifies.ts";

const OPTIONS = { originator: "codex_cli_rs", allowedWorkspaceIds: [] };

verifies(
  ["S9", "S12"],
  "buildAuthorizationUrl() has the reference's parameters in the reference's order",
  async () => {
    const attempt = {
      ...await createAttempt(),
      state: "STATE",
      codeChallenge: "CHALLENGE",
    };
    assert.equal(
      buildAuthorizationUrl(attempt, OPTIONS),
      "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann" +
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&code_challenge=CHALLENGE" +
        "&code_challenge_method=S256&state=STATE" +
        "&scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke" +
        "&id_token_add_organizations=true&codex_cli_simplified_flow=true&originator=codex_cli_rs",
    );
    assert.ok(
      buildAuthorizationUrl(attempt, { ...OPTIONS, allowedWorkspaceIds: ["acct-1", "acct-2"] })
        .endsWith("&originator=codex_cli_rs&allowed_workspace_id=acct-1%2Cacct-2"),
    );
  },
);

verifies(
  "S11",
  "buildAuthorizationUrl() keeps whatever it is given inside its own parameter",
  async () => {
    const attempt = await createAttempt();
    fc.assert(fc.property(fc.string(), fc.string({ minLength: 1 }), (clientId, workspace) => {
      fc.pre(clientId.isWellFormed() && workspace.isWellFormed());
      fc.pre(clientId.length + workspace.length < 100);
      const url = new URL(
        buildAuthorizationUrl({ ...attempt, clientId }, {
          ...OPTIONS,
          allowedWorkspaceIds: [workspace],
        }),
      );
      assert.equal(url.searchParams.get("client_id"), clientId);
      assert.equal(url.searchParams.get("allowed_workspace_id"), workspace);
      assert.equal([...url.searchParams].length, 11);
      assert.equal(url.hash, "");
    }));
  },
);

async function judge(query: string): Promise<AuthorizationResponse> {
  const attempt = { ...await createAttempt(), state: "RIGHT" };
  return validateAuthorizationResponse(new URLSearchParams(query), attempt);
}

verifies(
  ["S4", "S5"],
  "validateAuthorizationResponse() calls everything without the right state foreign, errors too",
  async () => {
    for (
      const query of [
        "",
        "code=c",
        "code=c&state=",
        "code=c&state=WRONG",
        "code=c&state=right",
        "error=access_denied",
        "error=access_denied&state=WRONG",
        "state=WRONG",
      ]
    ) {
      assert.deepEqual(await judge(query), { kind: "foreign", reason: "state mismatch" }, query);
    }
  },
);

verifies(
  "S2",
  "validateAuthorizationResponse() rejects a repeated state, code, error or iss",
  async () => {
    for (
      const query of [
        "state=RIGHT&state=RIGHT&code=c",
        "state=RIGHT&code=c&code=c",
        "state=RIGHT&error=a&error=b",
        "state=RIGHT&code=c&iss=https://auth.openai.com&iss=https://auth.openai.com",
        "state=WRONG&state=RIGHT&code=c",
      ]
    ) {
      assert.deepEqual(
        await judge(query),
        { kind: "foreign", reason: "repeated parameter" },
        query,
      );
    }
  },
);

verifies(
  "S8",
  "validateAuthorizationResponse() judges issuer, error and code in this order",
  async () => {
    const rows: [query: string, code: string][] = [
      ["state=RIGHT&code=c&iss=https://evil.test", "ISSUER_MISMATCH"],
      ["state=RIGHT&error=x&iss=https://evil.test", "ISSUER_MISMATCH"],
      ["state=RIGHT&code=c&iss=", "ISSUER_MISMATCH"],
      ["state=RIGHT&error=", "AUTHORIZATION_FAILED"],
      ["state=RIGHT&error=&code=c", "AUTHORIZATION_FAILED"],
      ["state=RIGHT&error=server_error&error_description=down", "AUTHORIZATION_FAILED"],
      ["state=RIGHT&error=access_denied", "ACCESS_DENIED"],
      [
        "state=RIGHT&error=access_denied&error_description=MISSING_codex_entitlement",
        "ENTITLEMENT",
      ],
      [
        "state=RIGHT&error=other&error_description=missing_codex_entitlement",
        "AUTHORIZATION_FAILED",
      ],
      ["state=RIGHT", "AUTHORIZATION_CODE_MISSING"],
      ["state=RIGHT&code=", "AUTHORIZATION_CODE_MISSING"],
    ];
    for (const [query, code] of rows) {
      const response = await judge(query);
      assert.equal(response.kind === "error" && response.error.code, code, query);
    }
  },
);

verifies(
  "S8",
  "validateAuthorizationResponse() gives the code, with or without the issuer's name",
  async () => {
    const expected = { kind: "code", code: "c d", onboardingEntrypoint: undefined };
    for (const iss of ["", "&iss=https://auth.openai.com", "&iss=https://auth.openai.com/"]) {
      assert.deepEqual(await judge(`state=RIGHT&code=c+d${iss}`), expected);
    }
    assert.deepEqual(await judge("code=c&state=RIGHT.onboarding_entrypoint=life_sciences"), {
      kind: "code",
      code: "c",
      onboardingEntrypoint: "life_sciences",
    });
  },
);

verifies(
  "S65",
  "validateAuthorizationResponse() shows the issuer's words cleaned and cut",
  async () => {
    const response = await judge(
      `state=RIGHT&error=x%1b[31m&error_description=${
        encodeURIComponent(`\x1b]52;c;aGk=\x07${"y".repeat(20_000)}`)
      }`,
    );
    assert.ok(response.kind === "error");
    const reason = response.error.reason ?? "";
    assert.ok(!reason.includes("\x1b") && reason.length < 400);
  },
);

verifies(
  "S36",
  "validateAuthorizationResponse() shows nothing of what we sent, however the issuer echoes it",
  async () => {
    const attempt = await createAttempt();
    const code = "c0de-that-is-secret";
    const hidden = (text: string): string => `${text.slice(0, 4)}\u200b${text.slice(4)}`;
    for (const echo of [attempt.state, code, hidden(attempt.state), hidden(code)]) {
      for (const name of ["error", "error_description", "iss"]) {
        const query = new URLSearchParams({ error: "x", code, state: attempt.state });
        query.set(name, `you sent ${echo} ${"y".repeat(400)}`);
        const response = await validateAuthorizationResponse(query, attempt);
        assert.ok(response.kind === "error");
        const shown = `${response.error.message} ${response.error.reason}`;
        assert.ok(!shown.includes(attempt.state) && !shown.includes(code), `${name}: ${shown}`);
      }
    }
  },
);

verifies(
  "S11",
  "buildAuthorizationUrl() stays short enough for everything that has to carry it",
  async () => {
    const allowedWorkspaceIds = Array.from({ length: 200 }, (_, i) => `acct-${i}-0123456789`);
    const url = buildAuthorizationUrl(await createAttempt(), { ...OPTIONS, allowedWorkspaceIds });
    assert.ok(url.length <= 2_048);
    assert.ok(!url.includes("allowed_workspace_id"));
  },
);

const parameter = fc.constantFrom("state", "code", "error", "iss", "error_description", "x");
const value = fc.constantFrom(
  "RIGHT",
  "WRONG",
  "",
  "c",
  "https://auth.openai.com",
  "https://evil.test",
);
const query = fc.array(fc.tuple(parameter, value), { maxLength: 6 });

/**
 * The judge by other hands. Two exceptions, both ours on purpose: the onboarding suffix of a state, and one trailing
 * slash of `iss`; neither is generated here.
 */
verifies(
  ["S2", "S8"],
  "validateAuthorizationResponse() accepts a code only where oauth4webapi does",
  async () => {
    const server = { issuer: "https://auth.openai.com" };
    const client = { client_id: "app_EMoamEEZ73f0CkXaXp7hrann" };
    await fc.assert(
      fc.asyncProperty(query, async (pairs) => {
        const ours = await judge(new URLSearchParams(pairs).toString());
        let theirs: URLSearchParams | undefined;
        try {
          theirs = oauth4webapi.validateAuthResponse(
            server,
            client,
            new URLSearchParams(pairs),
            "RIGHT",
          );
        } catch {
          // Refused.
        }
        if (ours.kind === "code") assert.equal(theirs?.get("code"), ours.code);
      }),
      { numRuns: times(2_000, 20_000), seed: 20_260_721 },
    );
  },
);
