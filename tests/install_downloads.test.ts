import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  addScript,
  createPlace,
  inEveryShell,
  type Place,
  readInstalled,
  toolsBut,
} from "./testing/install_run.ts";
import { fakeProgram, type ReleaseServer, startReleaseServer } from "./testing/release_server.ts";
import { CA_PATH, TLS } from "./testing/tls.ts";

/** What may download, by what it is linked to; busybox's takes any certificate. */
const DOWNLOADERS = ["curl", "wget", "wget=busybox"] as const;

function createPlaceWith(downloader: string): Promise<Place> {
  return createPlace({}, toolsBut(["curl"], [downloader]));
}

/** Makes what runs there trust the CA of the tests. */
async function trust(place: Place): Promise<Record<string, string>> {
  await writeFile(join(place.home, "wgetrc"), `ca_certificate = ${CA_PATH}\n`);
  return { CURL_CA_BUNDLE: CA_PATH, WGETRC: join(place.home, "wgetrc") };
}

/** Serves a release behind redirects, as GitHub does. */
function redirectAll(server: ReleaseServer, to: string): void {
  for (const [path, file] of [...server.files]) {
    if (!(file instanceof Uint8Array)) continue;
    server.files.set(path, { redirect: `${to}/elsewhere${path}` });
    server.files.set(`/elsewhere${path}`, file);
  }
}

inEveryShell("curl or wget will do, whatever proxy is set", async (shell) => {
  for (const downloader of DOWNLOADERS) {
    await using server = await startReleaseServer();
    await using proxy = await startReleaseServer();
    await using place = await createPlaceWith(downloader);
    server.publish({});
    const env = Object.fromEntries(
      ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"].map((
        name,
      ) => [name, proxy.url]),
    );
    const { code, out } = await place.run(shell, ["--base-url", server.url], { env });
    assert.equal(code, 0, `${downloader}: ${out}`);
    assert.equal(await readInstalled(place), fakeProgram());
    assert.equal(server.requests.length, 2);
    assert.deepEqual(proxy.requests, []);
  }
});

inEveryShell("what one of them cannot get is said in its own words", async (shell) => {
  for (const downloader of DOWNLOADERS) {
    await using server = await startReleaseServer();
    await using place = await createPlaceWith(downloader);
    const { code, out } = await place.run(shell, ["--base-url", server.url]);
    assert.equal(code, 1, out);
    assert.match(out, /404[^]*SHA256SUMS could not be downloaded/);
    assert.match(out, /try: once more/);
  }
});

inEveryShell("https is followed where it leads, if the certificates are good", async (shell) => {
  for (const downloader of ["curl", "wget"]) {
    await using server = await startReleaseServer(TLS);
    await using place = await createPlaceWith(downloader);
    server.publish({});
    redirectAll(server, server.url);
    const args = ["--base-url", server.url];
    const { code, out } = await place.run(shell, args, { env: await trust(place) });
    assert.equal(code, 0, `${downloader}: ${out}`);
    assert.equal(await readInstalled(place), fakeProgram());
    assert.ok(server.requests.includes("/elsewhere/latest/download/SHA256SUMS"));
  }
});

inEveryShell("a certificate that nobody trusts ends it", async (shell) => {
  for (const downloader of DOWNLOADERS) {
    await using server = await startReleaseServer(TLS);
    await using place = await createPlaceWith(downloader);
    server.publish({});
    const { code, out } = await place.run(shell, ["--base-url", server.url]);
    assert.equal(code, 1, `${downloader}: ${out}`);
    assert.match(out, /certificate/i);
    assert.ok(!(await place.list()).includes(".local/bin/codex-login"));
  }
});

inEveryShell(
  "a wget that takes any certificate is not used, although it succeeds",
  async (shell) => {
    await using place = await createPlace({}, toolsBut(["curl"]));
    await using server = await startReleaseServer();
    server.publish({});
    for (const [path, file] of server.files) {
      if (!(file instanceof Uint8Array)) continue;
      await writeFile(join(place.home, path.split("/").at(-1) ?? ""), file);
    }
    const fetches = `while [ "$1" != -O ]; do shift; done; cat "$HOME/\${3##*/}" >"$2"`;
    for (
      const [words, code] of [["", 0], [
        "note: TLS certificate validation not implemented",
        1,
      ]] as const
    ) {
      await addScript(place.tools, "wget", `echo "wget: ${words}" >&2\n${fetches}`);
      const to = join(place.home, `to ${code}`);
      const args = ["--base-url", "https://example.com", "--to", to];
      const ended = await place.run(shell, args);
      assert.equal(ended.code, code, ended.out);
      assert.equal((await place.list()).includes(`to ${code}/codex-login`), code === 0);
      if (code === 1) assert.match(ended.out, /checks no certificates: install curl/);
    }
  },
);

inEveryShell("https never goes on without encryption", async (shell) => {
  for (const downloader of ["curl", "wget"]) {
    await using server = await startReleaseServer(TLS);
    await using plain = await startReleaseServer();
    await using place = await createPlaceWith(downloader);
    server.publish({});
    redirectAll(server, plain.url);
    for (const [path, file] of server.files) plain.files.set(path, file);
    const args = ["--base-url", server.url];
    const { code, out } = await place.run(shell, args, { env: await trust(place) });
    assert.equal(code, 1, `${downloader}: ${out}`);
    assert.ok(!(await place.list()).includes(".local/bin/codex-login"));
  }
});

inEveryShell("http is for this machine, and no address pretends to be it", async (shell) => {
  await using place = await createPlace({}, toolsBut(["curl"]));
  // Whatever would be asked, is written down.
  await addScript(place.tools, "curl", 'echo "$@" >>"$HOME/asked"; exit 1');
  const refused = [
    "http://example.com",
    "http://10.0.0.1:8080",
    "http://127.0.0.1.example.com",
    "http://127.0.0.1@example.com",
    "http://127.0.0.1:80@example.com",
    "http://localhost:80:80",
    "http://localhost:",
    "http://localhost:1x",
    "http://localhost.example.com/127.0.0.1",
    "http://example.com/http://127.0.0.1",
    "http://127.0.0.1\\@example.com",
    "http://127.0.0.1#@example.com",
    "http://127.0.0.1 http://example.com",
    "http://[::1].example.com",
    "http://[::1]:80:80",
    "http://",
    "http:///x",
    "ftp://127.0.0.1",
    "file:///tmp",
    "https://",
    "HTTP://127.0.0.1",
    "//127.0.0.1",
    "127.0.0.1",
    "--output=/tmp/x",
    "https://example.com/$(id)",
    "https://example.com/`id`",
    "https://example.com/\n",
    "https://user:password@example.com",
  ];
  for (const url of refused) {
    const { code, out } = await place.run(shell, ["--base-url", url]);
    assert.equal(code, 2, `${url}: ${out}`);
    const byEnv = await place.run(shell, [], { env: { CODEX_LOGIN_INSTALL_BASE: url } });
    assert.equal(byEnv.code, 2, `${url}: ${byEnv.out}`);
  }
  assert.deepEqual(await place.list(), []);
  for (const url of ["http://localhost", "http://[::1]:1", "https://example.com:8443/a/b"]) {
    assert.equal((await place.run(shell, ["--base-url", url])).code, 1);
  }
  assert.ok((await place.list()).includes("asked"));
});
