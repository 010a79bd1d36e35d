import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { type Archive, archiveName } from "../../tools/release/archives.ts";
import { writeFormula } from "../../tools/release/formula.ts";
import { downloadUrl } from "../../tools/release/download_url.ts";
import { TARGETS } from "../../tools/release/targets.ts";
import { missingTool } from "../testing/tools.ts";

const RELEASE = { version: "1.2.3", commit: null, modified: new Date(0) };

/** Each with a checksum of its own. */
const ARCHIVES: readonly Archive[] = TARGETS.map((target, index) => ({
  target,
  file: archiveName(RELEASE, target),
  size: 1,
  sha256: String(index).repeat(64),
  executable: { size: 1, sha256: "a".repeat(64) },
}));
const EXTRAS = { file: "codex-login-1.2.3-extras.tar.gz", sha256: "e".repeat(64) };

/** As much of Homebrew as tells what a formula would fetch and install on a machine. */
const HOMEBREW = `
SYSTEM, CPU = ARGV
class Place
  def initialize(name) = @name = name
  def install(what) = puts("#{@name}: #{what.is_a?(Hash) ? what.to_a.join(" => ") : what}")
end
class Resource
  def url(value) = puts("extras url #{value}")
  def sha256(value) = puts("extras sha256 #{value}")
  def stage = yield
end
class Formula
  class << self
    def desc(_) = nil
    def homepage(_) = nil
    def version(value = nil) = value ? @version = value : @version
    def license(value) = puts("license #{value}")
    def url(value) = puts("url #{value}")
    def sha256(value) = puts("sha256 #{value}")
    def on_macos = (yield if SYSTEM == "macos")
    def on_linux = (yield if SYSTEM == "linux")
    def on_arm = (yield if CPU == "arm")
    def on_intel = (yield if CPU == "intel")
    def resource(_, &block) = Resource.new.instance_eval(&block)
    def test(&block) = define_method(:run_test, &block)
  end
  %i[bash_completion zsh_completion fish_completion pwsh_completion man1].each do |name|
    define_method(name) { Place.new(name) }
  end
  def bin
    place = Place.new("bin")
    def place.to_s = "/bin"
    place
  end
  def version = self.class.version
  def resource(_) = Resource.new
  def shell_output(command) = command == "/bin/codex-login --version" ? "codex-login 1.2.3\\n" : raise
  def assert_equal(one, other) = one == other ? puts("tested") : raise("#{one} is not #{other}")
end
`;

test("Homebrew takes each machine's own archive, by its checksum, and all that belongs to it", {
  skip: missingTool("ruby", "--version"),
}, () => {
  const formula = writeFormula(RELEASE, ARCHIVES, EXTRAS);
  const places = {
    "darwin-arm64": ["macos", "arm"],
    "darwin-x64": ["macos", "intel"],
    "linux-arm64": ["linux", "arm"],
    "linux-x64": ["linux", "intel"],
  };
  const code = `${HOMEBREW}\n${formula}\nCodexLogin.new.install\nCodexLogin.new.run_test\n`;
  for (const [name, args] of Object.entries(places)) {
    const { status, stdout, stderr } = spawnSync("ruby", ["-w", "-", ...args], {
      input: code,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const own = ARCHIVES.find(({ target }) => target.name === name);
    assert.deepEqual(stdout.trim().split("\n"), [
      "license Apache-2.0",
      `url ${downloadUrl("1.2.3", String(own?.file))}`,
      `sha256 ${own?.sha256}`,
      `extras url ${downloadUrl("1.2.3", EXTRAS.file)}`,
      `extras sha256 ${EXTRAS.sha256}`,
      "bin: codex-login",
      "bash_completion: completions/codex-login.bash => codex-login",
      "zsh_completion: completions/_codex-login",
      "fish_completion: completions/codex-login.fish",
      "pwsh_completion: completions/codex-login.ps1 => _codex-login.ps1",
      "man1: man/codex-login.1",
      "tested",
    ]);
  }
});

test("no formula is made without one of its executables", () => {
  const some = ARCHIVES.filter(({ target }) => target.name !== "darwin-x64");
  assert.throws(() => writeFormula(RELEASE, some, EXTRAS), /needs darwin-x64/);
});
