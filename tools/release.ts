/**
 * Makes `dist/release/` of what `npm run build -- --all` has built: an archive for each executable, the completions and the
 * man page, install.sh, the bill of materials, a Homebrew formula, release.json, and SHA256SUMS of all that. The same commit
 * gives the same bytes. `--only NAME,…` takes some of the executables, and makes no formula; `--from` and `--out` name other folders.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packExecutable, type Release, sha256 } from "./release/archives.ts";
import { CHECKSUMS, listChecksums } from "./release/checksums.ts";
import { readCommit } from "./release/commit.ts";
import { readExtras } from "./release/extras.ts";
import { writeFormula } from "./release/formula.ts";
import { gzip } from "./release/gzip.ts";
import { describeRelease } from "./release/manifest.ts";
import { tar } from "./release/tar.ts";
import { TARGETS } from "./release/targets.ts";

const MATERIALS = "dist/codex-login.cdx.json";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    from: { type: "string", default: "dist/targets" },
    out: { type: "string", default: "dist/release" },
  },
});
const folder = values.out;
const names = values.only?.split(",") ?? TARGETS.map(({ name }) => name);
const unknown = names.find((name) => !TARGETS.some((target) => target.name === name));
if (unknown !== undefined) fail(`there is no target "${unknown}"`);
const targets = TARGETS.filter(({ name }) => names.includes(name));
const missing = [
  ...targets.map(({ name, executable }) => join(values.from, name, executable)),
  MATERIALS,
].filter((file) => !existsSync(file));
if (missing.length > 0) {
  fail(`missing: ${missing.join(", ")}\ntry: npm run build -- --all (or --only NAME,… here)`);
}

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const release: Release = { version, ...readCommit() };
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const archives = targets.map((target) => {
  const started = performance.now();
  const archive = packExecutable(
    release,
    target,
    join(values.from, target.name, target.executable),
    folder,
  );
  const [packed, unpacked] = [archive.size, archive.executable.size].map((size) =>
    (size / 1e6).toFixed(1)
  );
  say(`${archive.file}: ${packed} MB of ${unpacked} MB, ${seconds(started)}`);
  return archive;
});
copyFileSync(MATERIALS, join(folder, `codex-login-${version}.cdx.json`));
copyFileSync("install.sh", join(folder, "install.sh"));
writeFileSync(join(folder, "release.json"), describeRelease(release, archives));
packExtras();
writeFileSync(join(folder, CHECKSUMS), listChecksums(folder));
say(`${folder}/${CHECKSUMS}: all of it`);

/** And the formula, which needs their checksum. */
function packExtras(): void {
  const extras = readExtras(release.modified);
  const file = `codex-login-${version}-extras.tar.gz`;
  const packed = gzip(tar(extras, release.modified));
  writeFileSync(join(folder, file), packed);
  say(`${file}: ${extras.map(({ name }) => name).join(", ")}`);
  if (values.only !== undefined) {
    say("not all executables, and so no formula");
    return;
  }
  const formula = writeFormula(release, archives, { file, sha256: sha256(packed) });
  writeFileSync(join(folder, "codex-login.rb"), formula);
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
