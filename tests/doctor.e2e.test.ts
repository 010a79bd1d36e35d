import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { CheckResult } from "../src/doctor.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { assertNoSecrets } from "./testing/leaks.ts";
import { occupy } from "./testing/occupant.ts";
import {
  type Ended,
  runProgram,
  startLogin,
  type StartOptions,
  SUBJECT,
} from "./testing/program.ts";
import { MISSING_SECRET_SERVICE, startSecretService } from "./testing/secret_service.ts";
import { storeLogin } from "./testing/stored_login.ts";
import { missingNamespaces } from "./testing/tools.ts";

const OPTIONS = { timeout: 120_000 };
/** Milliseconds: the bound itself, and what a busy machine takes to start programs. */
const BOUND_MS = 20_000;
const NOBODY = ["--issuer", "http://127.0.0.1:9"];
const BY_ROOT = { ...OPTIONS, skip: missingNamespaces("-mn") };
/** Only the executable can be read by another user whoever owns this folder. */
const AS_STRANGER = {
  ...OPTIONS,
  skip: SUBJECT === "executable" ? missingNamespaces("-mn") : "only for the executable",
};
const STRANGER = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];

interface Answer extends Ended {
  readonly checks: Readonly<Record<string, CheckResult>>;
}

async function ask(
  home: TestHome,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Answer> {
  const started = performance.now();
  const ended = await runProgram(home, ["doctor", "--json", ...args], options);
  assert.ok(performance.now() - started < BOUND_MS);
  assert.ok(ended.exitCode === 0 || ended.exitCode === 1, ended.stdout + ended.stderr);
  const { ok, checks } = JSON.parse(ended.stdout) as { ok: boolean; checks: CheckResult[] };
  assert.equal(ended.exitCode, ok ? 0 : 1);
  return { ...ended, checks: Object.fromEntries(checks.map((one) => [one.id, one])) };
}

test(`${SUBJECT}: all is well with a login at an issuer that answers`, OPTIONS, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await storeLogin(home, issuer, 3_600);
  const before = await home.list();
  const { exitCode, checks, stdout, stderr } = await ask(home, []);
  assert.equal(exitCode, 0, stdout);
  for (
    const id of [
      "program.version",
      "home.space",
      "login.stored",
      "loopback.ipv4",
      "issuer.http",
      "issuer.clock",
    ]
  ) {
    assert.equal(checks[id]?.status, "ok", JSON.stringify(checks[id]));
  }
  assert.equal(stderr, "");
  assert.deepEqual(await home.list(), before);
  assertNoSecrets(stdout, issuer);
});

test(
  `${SUBJECT}: an issuer that never answers costs no more than 15 seconds`,
  OPTIONS,
  async () => {
    await using home = await createHome();
    await using occupant = await occupy(0);
    const { checks } = await ask(home, ["--issuer", `http://127.0.0.1:${occupant.port}`]);
    assert.equal(checks["issuer.tcp"]?.status, "ok");
    assert.equal(checks["issuer.http"]?.status, "fail");
    const tls = await ask(home, ["--issuer", `https://127.0.0.1:${occupant.port}`]);
    assert.match(tls.checks["issuer.tls"]?.measured ?? "", /took too long/);
  },
);

test(`${SUBJECT}: a keyring that hangs or is locked is told in bounded time`, {
  ...OPTIONS,
  skip: MISSING_SECRET_SERVICE,
}, async () => {
  await using service = await startSecretService();
  await using home = await createHome();
  const { env } = service;
  const args = ["-c", "cli_auth_credentials_store=keyring", ...NOBODY];
  const well = await ask(home, args, { env });
  assert.equal(well.checks["keyring.access"]?.status, "ok", well.stdout);
  assert.equal(
    (await runProgram(home, ["login", "--with-api-key", ...args.slice(0, 2)], {
      env,
      input: "sk-0123456789",
    })).exitCode,
    0,
  );
  assert.match(
    (await ask(home, args, { env })).checks["keyring.access"]?.measured ?? "",
    /with a login/,
  );
  service.lock();
  const locked = await ask(home, args, { env });
  assert.equal(locked.checks["keyring.access"]?.status, "fail", locked.stdout);
  service.stop();
  const hanging = await ask(home, args, { env });
  assert.equal(hanging.checks["keyring.access"]?.status, "fail");
  assert.match(
    hanging.checks["login.stored"]?.measured ?? "",
    /did not answer within|Did not receive/,
  );
});

test(
  `${SUBJECT}: without a network and without /proc it still tells everything else`,
  BY_ROOT,
  async () => {
    await using home = await createHome();
    const offline = await ask(home, NOBODY, { wrapper: ["unshare", "-n"] });
    assert.equal(offline.checks["loopback.ipv4"]?.status, "fail", offline.stdout);
    assert.equal(offline.checks["home.folder"]?.status, "ok");
    // The runtimes find themselves by one of its links.
    const script =
      'set -e; exe="$1"; mount -t tmpfs none /proc; mkdir /proc/self; ln -s "$exe" /proc/self/exe; shift; exec "$@"';
    const { stdout } = spawnSync("which", ["node"], { encoding: "utf8" });
    if (SUBJECT !== "bundle") return;
    const wrapper = ["unshare", "-m", "sh", "-c", script, "sh", stdout.trim()];
    await using occupant = await occupy(1455);
    const blind = await ask(home, NOBODY, { wrapper });
    assert.match(blind.checks["port.1455"]?.measured ?? "", /an unknown program/);
    assert.equal(occupant.connections, 0);
  },
);

test(
  "without any home, or with one that may not be looked into, it says so",
  AS_STRANGER,
  async () => {
    await using home = await createHome();
    await chmod(home.path, 0o755);
    const nowhere = await ask(home, NOBODY, {
      cwd: "/",
      wrapper: [...STRANGER, "env", "-u", "HOME", "-u", "CODEX_HOME"],
    });
    assert.equal(nowhere.checks["home.folder"]?.status, "fail", nowhere.stdout);
    const closed = await ask(home, NOBODY, { cwd: "/", wrapper: STRANGER });
    assert.match(
      closed.checks["home.folder"]?.measured ?? "",
      /belongs to user \d+; this is user 54321/,
    );
    await writeFile(join(home.path, "config.toml"), "", { mode: 0o600 });
    const unreadable = await ask(home, NOBODY, { cwd: "/", wrapper: STRANGER });
    assert.match(unreadable.checks["settings.files"]?.measured ?? "", /permission denied/);
  },
);

test(
  `${SUBJECT}: variables that are empty count as unset, and nothing is read from the current folder`,
  OPTIONS,
  async () => {
    await using home = await createHome();
    await mkdir(join(home.path, ".codex"));
    await writeFile(join(home.path, ".codex", "config.toml"), "a = = b");
    const { checks } = await ask(home, NOBODY, { env: { HOME: "", CODEX_HOME: "" } });
    assert.ok(
      !checks["home.folder"]?.measured.includes(home.path),
      checks["home.folder"]?.measured,
    );
    assert.ok(!checks["settings.files"]?.measured.includes(home.path));
  },
);

test("a variable that runs foreign code is told, and no login is read", {
  ...OPTIONS,
  skip: SUBJECT !== "executable" && "only for the executable",
}, async () => {
  await using home = await createHome();
  await writeFile(join(home.path, "preload.js"), "");
  const env = { BUN_OPTIONS: `--preload ${join(home.path, "preload.js")}` };
  const { checks } = await ask(home, NOBODY, { env });
  assert.equal(checks["environment.runtime"]?.status, "fail");
  assert.equal(checks["login.stored"]?.status, "skip");
});

const MARK = "CANARY";

/** With characters that each way of writing it shows differently. */
function secret(name: string): string {
  return `${MARK}-${name}-"+/=é&\\-0123456789`;
}

test(`${SUBJECT}: no secret gets out, wherever it is and whatever is broken`, OPTIONS, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const stored = Object.fromEntries(
    ["OPENAI_API_KEY", "personal_access_token", "unknown_member"].map((
      name,
    ) => [name, secret(name)]),
  );
  const { document } = await storeLogin(home, issuer, 3_600);
  const tokens = { ...document["tokens"] as object, refresh_token: secret("refresh") };
  await home.writeAuth({ ...document, ...stored, tokens });
  await writeFile(`${home.authPath}.corrupt-1`, `{"OPENAI_API_KEY": "${MARK}-corrupt`, {
    mode: 0o600,
  });
  await mkdir(join(home.path, "profiles"), { mode: 0o700 });
  await writeFile(
    join(home.path, "profiles", "work.json"),
    JSON.stringify({ OPENAI_API_KEY: secret("profile") }),
  );
  const known = [...Object.values(stored), secret("refresh"), secret("profile")];
  const forms = known.flatMap((one) => [
    one,
    encodeURIComponent(one),
    new URLSearchParams([["", one]]).toString().slice(1),
    JSON.stringify(one),
    Buffer.from(one).toString("base64"),
    Buffer.from(one).toString("base64url"),
  ]);
  await mkdir(join(home.path, "log"));
  const lines = [
    ...forms,
    `/auth/callback?code=${MARK}abcdefgh&state=${MARK}12345678`,
    `http://u:${MARK}@h/`,
  ];
  await writeFile(
    join(home.path, "log", "codex-login.log"),
    lines.map((line) => `text ${line} end\n`).join(""),
  );
  await writeFile(
    join(home.path, "config.toml"),
    [
      `chatgpt_base_url = "https://ada:${MARK}@base.test/?key=${MARK}0123"`,
      `model = "${MARK}-model"`,
      `[mcp_servers.x.env]\nSOME_TOKEN = "${MARK}-mcp"`,
    ].join("\n"),
  );
  await writeFile(join(home.path, ".env"), `HTTPS_PROXY=http://u:${MARK}@p.test`);
  const env = {
    HTTPS_PROXY: `http://${MARK}:${MARK}-p@ss@proxy.test:3128`,
    all_proxy: `socks5://u:${MARK}@proxy.test`,
    CODEX_ACCESS_TOKEN: `at-${MARK}-0123456789abcdef`,
    CODEX_SOMETHING: `${MARK}-something`,
    CODEX_AUTHAPI_BASE_URL: `${issuer.url}/?api_key=${MARK}`,
    OPENAI_API_KEY: `sk-${MARK}-0123456789abcdef`,
    NODE_EXTRA_CA_CERTS: "",
  };
  await using waiting = startLogin(home, issuer);
  const authUrl = await waiting.authUrl();
  let all = "";
  for (const broken of [false, true]) {
    if (broken) {
      await home.writeAuth((await home.readAuth()).slice(0, -3));
      await writeFile(join(home.path, "config.toml"), `x = = "${MARK}"`);
    }
    for (const json of [[], ["--json"]]) {
      const bundle = join(home.path, `report-${broken}-${json.length}`);
      const args = ["doctor", "--verbose", "--bundle", bundle, ...json];
      const { exitCode, stdout, stderr } = await runProgram(home, args, { env });
      assert.ok(exitCode === 0 || exitCode === 1, stderr);
      assert.match(stderr, /Read it before you send it/);
      all += `${stdout}${stderr}${await readFile(bundle, "utf8")}`;
    }
  }
  assert.match(all, /CODEX_SOMETHING/);
  assert.match(all, /chatgpt_base_url = /);
  assert.ok(
    !all.includes(MARK),
    all.slice(Math.max(0, all.indexOf(MARK) - 200), all.indexOf(MARK) + 60),
  );
  const cut = Buffer.from(MARK).toString("base64").slice(0, 6);
  assert.ok(
    !all.includes(cut),
    all.slice(Math.max(0, all.indexOf(cut) - 200), all.indexOf(cut) + 60),
  );
  assertNoSecrets(all, issuer, authUrl);
});
