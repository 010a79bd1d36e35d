import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyringAccess } from "../src/keyring_access.ts";
import { verifies } from "./testing/verifies.ts";

const STEPS = [{ op: "write", user: "u", text: "secret-text" }] as const;
const SHELL = process.platform === "win32" ? "no sh(1) there" : false;

function helper(script: string): string[] {
  return ["sh", "-c", script];
}

/** For helpers that answer, on a busy machine. */
const PATIENT_MS = 60_000;

verifies(
  "S62",
  "createKeyringAccess() hands the steps over by stdin and no secret in any other way",
  {
    skip: SHELL,
  },
  async () => {
    const env = {
      PATH: process.env["PATH"],
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/x",
      CODEX_ACCESS_TOKEN: "at-secret",
      NAPI_RS_NATIVE_LIBRARY_PATH: "/evil.node",
      NODE_OPTIONS: "--require /evil.js",
    };
    const print = `printf '{"texts":["'; cat | tr -d '"'; env | sort | tr '\\n' ' '; printf '"]}'`;
    const answer = await createKeyringAccess(helper(print), env, PATIENT_MS)(STEPS);
    assert.ok("texts" in answer, JSON.stringify(answer));
    const text = answer.texts[0] ?? "";
    assert.ok(text.includes("{op:write,user:u,text:secret-text}"));
    assert.ok(text.includes("DBUS_SESSION_BUS_ADDRESS=unix:path=/x"));
    assert.ok(!/at-secret|evil/.test(text), text);
  },
);

verifies(
  "S56",
  "createKeyringAccess() gives up on a helper that does not answer, and does not wait twice",
  {
    skip: SHELL,
  },
  async () => {
    const access = createKeyringAccess(["sleep", "60"], process.env, 50);
    const failed = { failure: "it did not answer within 0.05 s", isAbsent: false };
    assert.deepEqual(await access(STEPS), failed);
    assert.equal(await access(STEPS), await access(STEPS));
  },
);

test("createKeyringAccess() takes only an answer for one, and repeats nothing else", {
  skip: SHELL,
}, async () => {
  for (
    const script of [
      "exit 3",
      "echo secret-text",
      "echo '{\"texts\":[1]}'",
      "kill -9 $$",
      "exec yes x",
    ]
  ) {
    const answer = await createKeyringAccess(helper(script), process.env, PATIENT_MS)(STEPS);
    assert.deepEqual(answer, { failure: "its helper process failed", isAbsent: false }, script);
  }
  const missing = await createKeyringAccess(["/nowhere/program"], process.env)(STEPS);
  assert.match("failure" in missing ? missing.failure : "", /^its helper process: .*ENOENT/);
  const refused = `cat >/dev/null; echo '{"failure":"locked","isAbsent":false}'`;
  const answer = await createKeyringAccess(helper(refused), process.env, PATIENT_MS)(STEPS);
  assert.deepEqual(answer, { failure: "locked", isAbsent: false });
});
