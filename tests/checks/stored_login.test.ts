import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { keyringChecks } from "../../src/checks/keyring.ts";
import { storedIssuer, storedLoginChecks } from "../../src/checks/stored_login.ts";
import { assertFinding, examine, findingOf } from "../testing/examined.ts";
import { createHome } from "../testing/home.ts";
import { signJwt } from "../testing/jwt.ts";
import { createFakeKeyring, userOf } from "../testing/keyring.ts";
import { loginOf } from "../testing/logins.ts";
import { ADA, BOB } from "../testing/users.ts";

const KEY = "sk-proj-0123456789abcdefghijklmnop";
const KEYRING = ["cli_auth_credentials_store=keyring"];
const BUS = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" };

type Document = Record<string, unknown> & { tokens: Record<string, unknown> };

function ownTokens(changes: Record<string, unknown>): Document {
  const document = loginOf(ADA) as Document;
  return { ...document, tokens: { ...document.tokens, ...changes } };
}

test("what is stored is told by its form and time, never by what could be used", async () => {
  await using home = await createHome();
  const ask = async (): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(storedLoginChecks(await examine(home)), "login.stored");
  assertFinding(await ask(), "warn", /nobody is signed in/, /codex-login/);
  const document = ownTokens({});
  await home.writeAuth(document);
  const found = await ask();
  assertFinding(found, "ok", /ChatGPT \(plan plus\)/, /valid until 2096-/, /In .*auth\.json/);
  for (const token of Object.values(document.tokens)) {
    assert.ok(typeof token !== "string" || token.length < 20 || !found.measured.includes(token));
  }
  assert.ok(!found.measured.includes(ADA.email));
  const expired = signJwt({ exp: 1_000_000_000 });
  await home.writeAuth(ownTokens({ access_token: expired }));
  assertFinding(await ask(), "ok", /expired at 2001-.*; it is renewed at its next use/);
  await home.writeAuth(ownTokens({ access_token: expired, refresh_token: "" }));
  assertFinding(await ask(), "fail", /nothing is there to renew it with/, /codex-login/);
  await home.writeAuth({ auth_mode: "apikey", OPENAI_API_KEY: KEY });
  assertFinding(await ask(), "ok", /an API key sk-pro\*\*\*mnop/);
  await home.writeAuth({ personal_access_token: "at-0123456789abcdefghij0123456789" });
  assertFinding(await ask(), "ok", /a personal access token at-012\*\*\*6789/);
  await home.writeAuth('{"tokens": {"access_token": "at-secret-0123456789"');
  assertFinding(await ask(), "fail", /damaged/, /kept aside/);
  await home.writeAuth(ownTokens({}));
  const forced = storedLoginChecks(await examine(home, { overrides: ["forced_login_method=api"] }));
  assertFinding(
    await findingOf(forced, "login.stored"),
    "fail",
    /forced_login_method does not allow/,
  );
  const gone = storedLoginChecks(
    await examine(home, { overrides: ["cli_auth_credentials_store=ephemeral"] }),
  );
  assertFinding(await findingOf(gone, "login.stored"), "fail", /ephemeral/);
  assertFinding(await findingOf(gone, "login.copies"), "skip");
});

test("a token in the environment is told without its value", async () => {
  await using home = await createHome();
  const ask = async (token: string): Promise<Awaited<ReturnType<typeof findingOf>>> => {
    const checks = storedLoginChecks(await examine(home, { env: { CODEX_ACCESS_TOKEN: token } }));
    const found = await findingOf(checks, "login.override");
    assert.ok(token === "" || !JSON.stringify(found).includes(token));
    return found;
  };
  assertFinding(await ask(""), "ok");
  assertFinding(
    await ask("at-0123456789abcdef"),
    "warn",
    /a personal access token/,
    /unset CODEX_ACCESS_TOKEN/,
  );
  assertFinding(await ask(signJwt({ exp: 4_000_000_000 })), "warn", /a JWT/);
  assertFinding(await ask(signJwt({ exp: 1_000_000_000 })), "fail", /cannot be used/);
  assertFinding(await ask("nonsense-nonsense"), "fail", /neither/);
});

test("a copy in the other store is told, whichever counts", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  const world = { keyring: keyring.access, env: BUS };
  const ask = async (overrides: string[]): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(
      storedLoginChecks(await examine(home, { ...world, overrides })),
      "login.copies",
    );
  assertFinding(await ask([]), "ok", /there is none/);
  await home.writeAuth(loginOf(ADA));
  assertFinding(await ask([]), "ok", /only in .*auth\.json/);
  keyring.entries.set(await userOf(home), JSON.stringify(loginOf(BOB)));
  assertFinding(await ask([]), "warn", /in the keyring, which is ignored/, /logout/);
  assertFinding(await ask(KEYRING), "warn", /auth\.json, which is ignored/);
  await writeFile(join(home.path, "auth.keyring-is-older"), "");
  assertFinding(await ask(KEYRING), "warn", /is newer than the login in the keyring/);
  keyring.failure = "it is locked";
  assertFinding(await ask([]), "skip", /it is locked/);
  keyring.failure = undefined;
  assert.ok(keyring.calls.flat().every(({ op }) => op === "read"));
});

test("the keyring is asked where it is the store, and what it says is told", async () => {
  await using home = await createHome();
  const keyring = createFakeKeyring();
  const ask = async (
    store: string,
    env: Record<string, string> = BUS,
  ): Promise<Awaited<ReturnType<typeof findingOf>>> => {
    const overrides = [`cli_auth_credentials_store=${store}`];
    const examined = await examine(home, { keyring: keyring.access, env, overrides });
    return await findingOf(keyringChecks(examined), "keyring.access");
  };
  assertFinding(await ask("file"), "skip", /the store is file/);
  assert.equal(keyring.calls.length, 0);
  assertFinding(await ask("keyring"), "ok", /without a login/);
  keyring.entries.set(await userOf(home), "x");
  assertFinding(await ask("auto"), "ok", /with a login/);
  keyring.failure = "it is locked";
  assertFinding(await ask("keyring"), "fail", /it is locked/, /unlock the keyring/);
  assertFinding(await ask("auto"), "warn", /it is locked/);
  if (process.platform === "linux") {
    assertFinding(await ask("keyring", {}), "fail", /no D-Bus session/);
  }
});

test("profiles are named, damaged ones are told", async () => {
  await using home = await createHome();
  const ask = async (): Promise<Awaited<ReturnType<typeof findingOf>>> =>
    await findingOf(storedLoginChecks(await examine(home)), "login.profiles");
  assertFinding(await ask(), "ok", /none is kept/);
  const folder = join(home.path, "profiles");
  await mkdir(folder);
  await writeFile(join(folder, "work.json"), JSON.stringify(loginOf(ADA)));
  assertFinding(await ask(), "ok", /kept: work/);
  await writeFile(join(folder, "home.json"), "broken");
  assertFinding(await ask(), "fail", /"home" is damaged/, /profile remove home/);
});

test("with foreign code in the process no login is read, and the issuer is the login's own", async () => {
  await using home = await createHome();
  await home.writeAuth(loginOf(ADA, "https://issuer.test"));
  const examined = await examine(home);
  assert.equal(await storedIssuer(examined), "https://issuer.test");
  const hazard = { variable: "BUN_OPTIONS", effect: "it can run foreign code" };
  const checks = storedLoginChecks({ ...examined, hazard });
  for (const id of ["login.stored", "login.copies", "login.profiles"]) {
    assertFinding(await findingOf(checks, id), "skip", /BUN_OPTIONS is set/);
  }
  assert.equal(await storedIssuer({ ...examined, hazard }), undefined);
});
