import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { visit } from "./testing/fake_browser.ts";
import { createHome, type TestHome } from "./testing/home.ts";
import { startIssuer } from "./testing/issuer.ts";
import { type Program, startProgram, SUBJECT } from "./testing/program.ts";
import { missingNamespaces } from "./testing/tools.ts";
import { until } from "./testing/until.ts";

const TIMEOUT = { timeout: 60_000 };

/** A folder in which whatever is commonly used to open a browser only tells that it was started. */
async function createOpeners(home: TestHome): Promise<string> {
  const folder = join(home.path, "bin");
  await mkdir(folder);
  for (const name of ["xdg-open", "open", "rundll32.exe", "browser"]) {
    await writeFile(
      join(folder, name),
      `#!/bin/sh\ntouch '${join(home.path, `started-${name}`)}'\n`,
    );
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

async function started(home: TestHome): Promise<string[]> {
  return (await home.list()).filter((name) => name.startsWith("started-"));
}

async function complete(program: Program): Promise<string> {
  await visit(await program.authUrl());
  const { exitCode, stderr } = await program.ended;
  assert.equal(exitCode, 0, stderr);
  return stderr;
}

const args = (issuer: { url: string }, ...more: string[]): string[] => [
  ...["login", "--issuer", issuer.url, "--port", "0"],
  ...more,
];

test(
  `${SUBJECT}: in a container without a display it says so, opens nothing, and is completed from elsewhere`,
  {
    ...TIMEOUT,
    skip: missingNamespaces("-mpf"),
  },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const PATH = `${await createOpeners(home)}:${process.env["PATH"]}`;
    // Mounts and processes of its own, as a container has them; the loopback is shared, as it would be through a tunnel.
    const wrapper = ["unshare", "-mpf", "--mount-proc"];
    await using program = startProgram(home, args(issuer), {
      env: { PATH, container: "podman" },
      wrapper,
    });
    const stderr = await complete(program);
    assert.match(
      stderr,
      /^This looks like a container, no display: no browser is opened\. Open this address in one:$/m,
    );
    assert.match(stderr, /codex-login login --device-auth/);
    assert.deepEqual(await started(home), []);
  },
);

test(`${SUBJECT}: over SSH it prints the exact line for the tunnel`, TIMEOUT, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  const PATH = `${await createOpeners(home)}:${process.env["PATH"]}`;
  const env = { PATH, SSH_CONNECTION: "203.0.113.9 50522 198.51.100.7 2222", USER: "ada" };
  await using program = startProgram(home, args(issuer), { env });
  const stderr = await complete(program);
  assert.match(stderr, /This looks like an SSH session, /);
  assert.match(stderr, /^ {2}ssh -L (\d+):127\.0\.0\.1:\1 -p 2222 ada@198\.51\.100\.7$/m);
  assert.deepEqual(await started(home), []);
});

test(
  `${SUBJECT}: --browser and $BROWSER win over what was noticed, --no-browser over a display`,
  TIMEOUT,
  async () => {
    await using issuer = await startIssuer();
    for (
      const [more, env, opener] of [
        [["--browser", "browser"], {}, ["started-browser"]],
        [[], { BROWSER: "no-such-program:browser" }, ["started-browser"]],
        [["--no-browser"], { DISPLAY: ":0" }, []],
        [["--no-browser"], { BROWSER: "browser" }, []],
      ] as const
    ) {
      await using home = await createHome();
      const PATH = `${await createOpeners(home)}:${process.env["PATH"]}`;
      await using program = startProgram(home, args(issuer, ...more), {
        env: { PATH, ...env, CI: "true" },
      });
      await complete(program);
      await until("it is opened", async () => (await started(home)).length >= opener.length);
      assert.deepEqual(await started(home), opener);
    }
  },
);

test(`${SUBJECT}: --qr draws the address, without a terminal too`, TIMEOUT, async () => {
  await using issuer = await startIssuer();
  await using home = await createHome();
  await using program = startProgram(home, args(issuer, "--no-browser", "--qr"));
  const stderr = await complete(program);
  assert.match(stderr, /^[█▀▄ ]{80,}$/m);
  assert.ok(!stderr.includes("\x1b"));
});
