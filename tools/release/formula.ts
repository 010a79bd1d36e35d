import type { Archive, Release } from "./archives.ts";
import { REPOSITORY } from "../../src/version.ts";
import { downloadUrl } from "./download_url.ts";

/** Which executable Homebrew takes where; its Linux has glibc. */
const PLACES = [
  { system: "macos", cpu: "arm", target: "darwin-arm64" },
  { system: "macos", cpu: "intel", target: "darwin-x64" },
  { system: "linux", cpu: "arm", target: "linux-arm64" },
  { system: "linux", cpu: "intel", target: "linux-x64" },
] as const;

/**
 * A formula for a tap: the released executables with the checksum of each, and the completions and the man page. Homebrew
 * rewrites the loader's paths in what it installs on Linux, which spoils an executable of Bun; since
 * https://github.com/Homebrew/brew/pull/23589 it leaves these alone.
 */
export function writeFormula(
  release: Release,
  archives: readonly Archive[],
  extras: { readonly file: string; readonly sha256: string },
): string {
  const { version } = release;
  const systems = ["macos", "linux"].map((system) => {
    const choices = PLACES.filter((place) => place.system === system).map(({ cpu, target }) => {
      const found = archives.find((archive) => archive.target.name === target);
      if (!found) throw new Error(`the formula needs ${target}`);
      return `    on_${cpu} do
      url "${downloadUrl(version, found.file)}"
      sha256 "${found.sha256}"
    end
`;
    });
    return `  on_${system} do\n${choices.join("")}  end\n`;
  });
  return `# Made by \`npm run release\` of ${REPOSITORY}: change it there.
class CodexLogin < Formula
  desc "Sign in to ChatGPT/Codex from a terminal, an editor or a program"
  homepage "${REPOSITORY}"
  version "${version}"
  license "Apache-2.0"

${systems.join("\n")}
  resource "extras" do
    url "${downloadUrl(version, extras.file)}"
    sha256 "${extras.sha256}"
  end

  def install
    bin.install "codex-login"
    resource("extras").stage do
      bash_completion.install "completions/codex-login.bash" => "codex-login"
      zsh_completion.install "completions/_codex-login"
      fish_completion.install "completions/codex-login.fish"
      pwsh_completion.install "completions/codex-login.ps1" => "_codex-login.ps1"
      man1.install "man/codex-login.1"
    end
  end

  test do
    assert_equal "codex-login #{version}", shell_output("#{bin}/codex-login --version").strip
  end
end
`;
}
