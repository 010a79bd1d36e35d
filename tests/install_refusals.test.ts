import assert from "node:assert/strict";
import { chmod, link, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzip } from "../tools/release/gzip.ts";
import { createHome } from "./testing/home.ts";
import {
  createPlace,
  inEveryShell,
  packByTar,
  type Place,
  plantOlder,
  readInstalled,
  toolsBut,
} from "./testing/install_run.ts";
import {
  fakeProgram,
  packProgram,
  type PublishedRelease,
  type ReleaseServer,
  startReleaseServer,
} from "./testing/release_server.ts";
import { missingNamespaces, missingTool } from "./testing/tools.ts";

const ARCHIVE = "/download/v1.2.3/codex-login-1.2.3-x86_64-unknown-linux-gnu.tar.gz";

/** That it is refused with these words, and the version that was there still is, and nothing else. */
async function assertRefused(
  shell: readonly string[],
  words: RegExp,
  server: ReleaseServer,
  place: Place,
): Promise<void> {
  const older = await plantOlder(place);
  const before = await place.list();
  const { code, out } = await place.run(shell, ["--base-url", server.url]);
  assert.equal(code, 1, out);
  assert.match(out, words);
  assert.equal(await readInstalled(place), older);
  assert.deepEqual(await place.list(), before);
}

async function assertReleaseRefused(
  shell: readonly string[],
  words: RegExp,
  release: PublishedRelease,
  change: (server: ReleaseServer) => void = () => {},
): Promise<void> {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish(release);
  change(server);
  await assertRefused(shell, words, server, place);
}

inEveryShell("an archive that was changed is refused before it is opened", async (shell) => {
  const changed = packProgram(fakeProgram("1.2.3", 'echo owned >"$HOME/owned"'));
  const words =
    /not what the release says: its SHA-256 is [0-9a-f]{64}, and should be [0-9a-f]{64}/;
  await assertReleaseRefused(shell, words, {}, ({ files }) => files.set(ARCHIVE, changed));
  // The first bytes only, and all but the last.
  const right = packProgram(fakeProgram());
  for (const length of [0, 20, right.length - 1]) {
    const cut = ({ files }: ReleaseServer): unknown => files.set(ARCHIVE, right.slice(0, length));
    await assertReleaseRefused(shell, words, {}, cut);
  }
});

inEveryShell("checksums that do not say what they must are refused", async (shell) => {
  const lines = /^.*linux-gnu.*\n/m;
  const wrong: [RegExp, (right: string) => string][] = [
    [/no archive for x86_64-unknown-linux-gnu \(SHA256SUMS has 0\)/, (it) => it.replace(lines, "")],
    [/SHA256SUMS has 0/, () => ""],
    [/SHA256SUMS has 0/, () => "<!DOCTYPE html>\n<html>Not here</html>\n"],
    [/SHA256SUMS has 2/, (it) => it + (lines.exec(it)?.[0] ?? "")],
    [/SHA256SUMS has 0/, (it) => it.replace(/^[0-9a-f]{64}(?=.*gnu)/m, "")],
    [/SHA256SUMS cannot be read/, (it) => it.replace(/^[0-9a-f]{64}(?=.*gnu)/m, "0".repeat(63))],
    [/SHA256SUMS cannot be read/, (it) => it.replace(/^[0-9a-f]{64}(?=.*gnu)/m, "Z".repeat(64))],
    [/SHA256SUMS cannot be read/, (it) => it.replaceAll("1.2.3", "../../1.2.3")],
    [/SHA256SUMS cannot be read/, (it) => it.replaceAll("1.2.3", "$(id)")],
    [
      /SHA-256 is [0-9a-f]{64}, and should be 0{64}/,
      (it) => it.replace(/^[0-9a-f]{64}(?=.*gnu)/m, "0".repeat(64)),
    ],
  ];
  for (const [words, sums] of wrong) await assertReleaseRefused(shell, words, { sums });
});

inEveryShell("checksums are read in either of the forms of sha256sum", async (shell) => {
  for (
    const sums of [
      (right: string): string => right.replaceAll("  ", " *"),
      (right: string): string => right.split("\n").slice(0, 2).join("\n"),
    ]
  ) {
    await using server = await startReleaseServer();
    await using place = await createPlace();
    server.publish({ sums });
    const { code, out } = await place.run(shell, ["--base-url", server.url]);
    assert.equal(code, 0, out);
  }
});

inEveryShell("what is missing or breaks off is refused", async (shell) => {
  const sums = "/latest/download/SHA256SUMS";
  const words = /^install\.sh: http:.* could not be downloaded/m;
  for (const path of [sums, ARCHIVE]) {
    await assertReleaseRefused(shell, words, {}, ({ files }) => files.delete(path));
    const cut = { content: new Uint8Array(100_000), cutAt: 10 };
    await assertReleaseRefused(shell, words, {}, ({ files }) => files.set(path, cut));
  }
});

inEveryShell("an archive of anything but the one file is refused", async (shell) => {
  await using folder = await createHome();
  const { path } = folder;
  await writeFile(join(path, "codex-login"), fakeProgram());
  await writeFile(join(path, "other"), fakeProgram());
  await mkdir(join(path, "folder"));
  await writeFile(join(path, "folder/codex-login"), fakeProgram());
  await chmod(join(path, "codex-login"), 0o755);
  await mkdir(join(path, "links"));
  await symlink("/etc/passwd", join(path, "links/codex-login"));
  await mkdir(join(path, "hard"));
  await link(join(path, "other"), join(path, "hard/codex-login"));
  const pack = (...args: string[]): Uint8Array => packByTar(path, ...args);
  const wrong: Uint8Array[] = [
    pack("codex-login", "other"),
    pack("codex-login", "codex-login"),
    pack("--hard-dereference", "codex-login", "codex-login"),
    pack("other"),
    pack("./codex-login"),
    pack("folder/codex-login"),
    pack("folder"),
    pack("--transform=s,^,../,", "codex-login"),
    pack("--transform=s,^,/tmp/,", "codex-login"),
    pack("--transform=s,$,/,;s,.*,codex-login/x,", "codex-login"),
    // A link to a file, a link to another name of one, and a folder, each by the right name.
    packByTar(join(path, "links"), "codex-login"),
    packByTar(path, "--transform=s,hard/,,", "other", "hard/codex-login"),
    gzip(Buffer.from("not an archive")),
    Buffer.from("not even compressed"),
    gzip(new Uint8Array()),
  ];
  await using place = await createPlace({}, toolsBut(["tar"], [`tar=${tarBeside(shell)}`]));
  for (const archive of wrong) {
    await using server = await startReleaseServer();
    server.publish({ archive });
    await assertRefused(shell, /is not what it should be|cannot be read/, server, place);
  }
  await using server = await startReleaseServer();
  server.publish({ archive: pack("codex-login") });
  assert.equal((await place.run(shell, ["--base-url", server.url])).code, 0);
  assert.equal(await readInstalled(place), fakeProgram());
}, (shell) => missingTool(tarBeside(shell), "--help"));

/** The tar of a system that has this shell: Debian's, that of macOS, Alpine's. */
function tarBeside([shell]: readonly string[]): string {
  return shell === "dash" ? "tar" : shell === "bash" ? "bsdtar" : "busybox";
}

inEveryShell("what does not start, or is another version, is refused", async (shell) => {
  const refused: [RegExp, string][] = [
    [
      /some words\ninstall\.sh: the new codex-login does not start here/,
      "#!/bin/sh\necho some words >&2; exit 127\n",
    ],
    [/does not start here/, "#!/nowhere/sh\n"],
    [/does not start here/, "\x7fELF not quite"],
    [/says that it is "codex-login 1\.2\.2", not version 1\.2\.3/, fakeProgram("1.2.2")],
    [/says that it is "codex-login 1\.2\.33", not/, fakeProgram("1.2.33")],
    [/says that it is ""/, "#!/bin/sh\n"],
  ];
  for (const [words, program] of refused) await assertReleaseRefused(shell, words, { program });
});

inEveryShell("with musl it says which library is missing", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace({ isMusl: true });
  const program = "#!/bin/sh\necho libstdc++.so.6: not found >&2; exit 127\n";
  server.publish({ triple: "x86_64-unknown-linux-musl", program });
  await assertRefused(shell, /libstdc\+\+[^]*try: apk add libstdc\+\+\n/, server, place);
});

inEveryShell("without a tool that it needs nothing is done", async (shell) => {
  const needs: [RegExp, string[]][] = [
    [/nothing here can make a SHA-256 checksum[^]*try: install one of sha256sum/, ["sha256sum"]],
    [/neither curl nor wget/, ["curl"]],
    [/there is no tar here/, ["tar"]],
  ];
  for (const [words, without] of needs) {
    await using server = await startReleaseServer();
    await using place = await createPlace({}, toolsBut(without));
    server.publish({});
    await assertRefused(shell, words, server, place);
    assert.deepEqual(server.requests, []);
  }
});

inEveryShell("any of three tools makes the checksum", async (shell) => {
  for (const tool of ["shasum", "openssl"]) {
    await using server = await startReleaseServer();
    // perl is what shasum runs on.
    await using place = await createPlace({}, toolsBut(["sha256sum"], [tool, "perl"]));
    server.publish({});
    const { code, out } = await place.run(shell, ["--base-url", server.url]);
    assert.equal(code, 0, out);
    server.files.set(ARCHIVE, packProgram(fakeProgram("1.2.3", "# changed")));
    const changed = await place.run(shell, ["--base-url", server.url]);
    assert.match(changed.out, /not what the release says: its SHA-256 is [0-9a-f]{64},/);
    assert.equal(await readInstalled(place), fakeProgram());
  }
});

inEveryShell("what somebody else put in its place is left there", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  await plantOlder(place);
  await rm(place.installed);
  await writeFile(join(place.home, "npm"), "npm's own");
  await symlink("../../npm", place.installed);
  const linked = await place.run(shell, ["--base-url", server.url]);
  assert.equal(linked.code, 1);
  assert.match(linked.out, /is a link, which something else has made/);
  assert.equal(await readFile(place.installed, "utf8"), "npm's own");
  await rm(place.installed);
  await mkdir(place.installed);
  const folder = await place.run(shell, ["--base-url", server.url]);
  assert.equal(folder.code, 1);
  assert.match(folder.out, /is in the way, and not a file/);
  assert.deepEqual(server.requests, []);
  const inTheWay = await place.run(shell, [
    "--base-url",
    server.url,
    "--to",
    join(place.home, "npm"),
  ]);
  assert.equal(inTheWay.code, 1);
  assert.match(inTheWay.out, /the folder .*npm cannot be made/);
});

inEveryShell("whoever ends it finds everything as it was", async (shell) => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    for (const path of ["/latest/download/SHA256SUMS", ARCHIVE]) {
      await using server = await startReleaseServer();
      await using place = await createPlace();
      server.publish({});
      const older = await plantOlder(place);
      const before = await place.list();
      let group = 0;
      server.files.set(path, { onAsked: () => process.kill(-group, signal) });
      const ended = await place.run(shell, ["--base-url", server.url], {
        onStart: (pid) => group = pid,
      });
      assert.equal(ended.code, code, `${signal}: ${ended.out}`);
      assert.equal(await readInstalled(place), older);
      assert.deepEqual(await place.list(), before);
    }
  }
});

const NO_MOUNTS = missingNamespaces("-m");

inEveryShell("a folder that cannot be written is named", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({});
  await plantOlder(place);
  const readOnly = mounted('mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"', place);
  const { code, out } = await place.run(shell, ["--base-url", server.url], readOnly);
  assert.equal(code, 1, out);
  assert.match(out, /nothing can be written in .*\/bin\ntry: install\.sh --to DIR/);
  assert.equal(await readInstalled(place), fakeProgram("1.0.0"));
}, () => NO_MOUNTS);

inEveryShell("a full disk changes nothing", async (shell) => {
  await using server = await startReleaseServer();
  await using place = await createPlace();
  server.publish({ program: fakeProgram("1.2.3", `# ${"x".repeat(200_000)}`) });
  await plantOlder(place);
  // The archive is small and fits; what is in it does not.
  const small =
    'cp "$0/codex-login" /tmp/older-$$; mount -t tmpfs -o size=64k none "$0"; cp -p /tmp/older-$$ "$0/codex-login"; rm /tmp/older-$$';
  const left = 'ls -A "$0"; "$0/codex-login" --version';
  const { code, out } = await place.run(
    shell,
    ["--base-url", server.url],
    mounted(small, place, left),
  );
  assert.equal(code, 1, out);
  assert.match(out, /could not be unpacked into .*\/bin\n/);
  assert.match(out, /\ncodex-login\ncodex-login 1\.0\.0\n$/);
}, () => NO_MOUNTS);

/** Runs what follows where the folder of the program was mounted so, and then looks at it. */
function mounted(
  how: string,
  place: Place,
  look = ":",
): { wrapper: readonly string[]; env: Record<string, string> } {
  // mount(8) and unshare(1) are none of the tools that install.sh is given.
  const script =
    `export PATH=/usr/sbin:/usr/bin:/sbin:/bin; set -e; ${how}; PATH=$TOOLS; set +e; "$@"; code=$?; ${look}; exit $code`;
  const bin = join(place.installed, "..");
  return {
    wrapper: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, bin],
    env: { TOOLS: place.tools },
  };
}
