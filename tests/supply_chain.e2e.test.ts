import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { describeMaterials } from "../tools/bill_of_materials.ts";
import { bunPath } from "../tools/bun_path.ts";
import { findForbidden } from "../tools/licences.ts";
import { readLockfile } from "../tools/lockfile.ts";
import { createHome } from "./testing/home.ts";
import { ROOT, SUBJECT } from "./testing/program.ts";
import { onlyThorough } from "./testing/thorough.ts";
import { verifies } from "./testing/verifies.ts";

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const manifest = JSON.parse(read("package.json"));
const lockfile = readLockfile(join(ROOT, "package-lock.json"));
const EXECUTABLE_ONLY = SUBJECT === "executable" ? false : "only for the executable";

verifies("S74", `${SUBJECT}: every version is exact, and the lockfile's`, () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  // What runs is bundled: nothing has to be installed beside it but what is optional.
  assert.equal(dependencies, undefined);
  for (const [name, version] of Object.entries({ ...devDependencies, ...optionalDependencies })) {
    assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
    assert.ok(lockfile.some((one) => one.name === name && one.version === version), name);
  }
  for (const { name, integrity } of lockfile) assert.match(integrity, /^sha512-/, name);
});

verifies("S74", `${SUBJECT}: what is installed runs no script and comes from the lockfile`, () => {
  assert.match(read(".npmrc"), /^ignore-scripts=true$/m);
  assert.match(read(".npmrc"), /^save-exact=true$/m);
  assert.match(read("bunfig.toml"), /^frozenLockfile = true$/m);
  assert.match(read("bunfig.toml"), /^auto = "disable"$/m);
  const { lock, nodeModulesDir } = JSON.parse(read("deno.json"));
  assert.deepEqual([lock, nodeModulesDir], [false, "manual"]);
  const { packages } = JSON.parse(read("package-lock.json"));
  assert.equal(packages[""].version, manifest.version);
  assert.deepEqual(packages[""].devDependencies, manifest.devDependencies);
  assert.deepEqual(packages[""].optionalDependencies, manifest.optionalDependencies);
});

verifies(
  "S74",
  `${SUBJECT}: every licence is one that is allowed, and another would be found`,
  () => {
    assert.deepEqual(findForbidden(lockfile), []);
    const found = (license: string, name = "new"): number =>
      findForbidden([{ name, version: "1.0.0", license, integrity: "" }]).length;
    for (
      const license of ["GPL-3.0", "", "UNLICENSED", "MPL-2.0", "MIT AND GPL-3.0", "SEE LICENSE"]
    ) {
      assert.equal(found(license), 1, license);
    }
    for (const license of ["MIT", "(MIT OR GPL-3.0)", "ISC"]) {
      assert.equal(
        found(license),
        0,
        license,
      );
    }
    assert.equal(found("MPL-2.0", "axe-core"), 0);
  },
);

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: { alg: string; content: string }[];
  readonly licenses: { license: { id: string } }[];
}

verifies(
  "S74",
  `${SUBJECT}: the bill of materials has all that is inside, with versions and sums`,
  () => {
    const text = read("dist/codex-login.cdx.json");
    const document = JSON.parse(text);
    assert.deepEqual([document.bomFormat, document.specVersion], ["CycloneDX", "1.6"]);
    assert.equal(document.metadata.component.version, manifest.version);
    const components = document.components as Component[];
    const names = components.map(({ name }) => name);
    for (const name of ["bun", "hono", "valibot", "@napi-rs/keyring", "zod", "smol-toml", "uqr"]) {
      assert.ok(names.includes(name), name);
    }
    for (const name of ["fast-check", "oidc-provider", "playwright-core", "typescript", "deno"]) {
      assert.ok(!names.includes(name), name);
    }
    for (const { name, version, purl, hashes, licenses } of components) {
      assert.ok(lockfile.some((one) => one.name === name && one.version === version), name);
      assert.ok(decodeURIComponent(purl).endsWith(`${name}@${version}`));
      assert.match(hashes[0]?.content ?? "", /^[0-9a-f]{128}$/);
      assert.match(licenses[0]?.license.id ?? "", /^[\w.-]+$/);
    }
    // The same sources give the same bytes.
    assert.doesNotMatch(text, /serialNumber|timestamp/);
    assert.equal(describeMaterials(manifest, names, lockfile), text);
    assert.throws(() => describeMaterials(manifest, ["left-pad"], lockfile), /left-pad/);
  },
);

/** What is bundled lies there itself, as after `npm ci`; of the tools a link will do. */
function installInto(folder: string): void {
  const { components } = JSON.parse(read("dist/codex-login.cdx.json"));
  const bundled = new Set(
    (components as Component[]).map(({ name }) => name.split("/")[0]).filter((one) =>
      one !== "bun"
    ),
  );
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    const [from, to] = [join(ROOT, "node_modules", name), join(folder, "node_modules", name)];
    if (bundled.has(name)) cpSync(from, to, { recursive: true });
    else symlinkSync(from, to, "dir");
  }
}

const BUILT_FROM = ["src", "assets", "tools", "build.ts", "package.json", "deno.json", "LICENSE"];

verifies(
  "S75",
  "two builds, in two folders, are the same bytes",
  { timeout: 120_000, skip: EXECUTABLE_ONLY || onlyThorough() },
  async () => {
    await using home = await createHome();
    const built = ["one", "two/deeper"].map((name) => {
      const folder = join(home.path, name);
      mkdirSync(folder, { recursive: true });
      for (const part of BUILT_FROM) {
        cpSync(join(ROOT, part), join(folder, part), { recursive: true });
      }
      cpSync(join(ROOT, "package-lock.json"), join(folder, "package-lock.json"));
      installInto(folder);
      const { status, stderr } = spawnSync(bunPath(), ["build.ts"], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      const dist = join(folder, "dist");
      return [
        "codex-login",
        "cli.js",
        "mod.js",
        "mcp_sdk.js",
        "codex-login.cdx.json",
        "licenses.txt",
      ]
        .map((file) => readFileSync(join(dist, file)));
    });
    const [one = [], two = []] = built;
    one.forEach((bytes, at) => assert.ok(two[at]?.equals(bytes), `build ${at} differs`));
    for (const bytes of one) {
      assert.equal(bytes.indexOf(home.path), -1);
      assert.equal(bytes.indexOf(ROOT), -1);
    }
  },
);

test("no path of whoever builds it is in the sources", () => {
  const { status, stdout } = spawnSync("git", [
    "grep",
    "-lF",
    `${homedir()}/`,
    "--",
    "src",
    "assets",
  ], {
    cwd: ROOT,
    encoding: "utf8",
  });
  // 1 is git's way to say that there is none; where there is no repository nothing can be told.
  assert.ok(status !== 0, stdout);
});
