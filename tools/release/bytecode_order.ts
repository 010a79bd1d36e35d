import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Starts that people make often, the commonest first. None of them asks anybody anything, so each is the same every time. */
const STARTS: readonly { readonly args: readonly string[]; readonly isSignedIn: boolean }[] = [
  { args: ["status"], isSignedIn: true },
  { args: ["status"], isSignedIn: false },
  { args: ["token"], isSignedIn: true },
];
/** The year 2100, in seconds: the token of the login that is read is never renewed. */
const EXPIRY = 4_102_444_800;

/**
 * Records which code usual starts of an executable use: laid out in front, it takes a start a megabyte less.
 *
 * @param executable made of tools/release/recorded_entry.ts.
 * @returns the files that the build takes, in a folder that is the caller's to remove.
 */
export function recordBytecodeOrder(executable: string): { folder: string; files: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "codex-login-order-"));
  const files = STARTS.map(({ args, isSignedIn }, i) => {
    const home = join(folder, `home${i}`);
    mkdirSync(home, { mode: 0o700 });
    if (isSignedIn) writeFileSync(join(home, "auth.json"), loginOfNobody(), { mode: 0o600 });
    const file = join(folder, `order${i}`);
    const { status, stderr } = spawnSync(resolve(executable), args, {
      cwd: folder,
      encoding: "utf8",
      env: {
        CODEX_HOME: home,
        HOME: folder,
        BUN_BYTECODE_ORDER_OUT: file,
        // Without it nothing runs on Windows.
        SystemRoot: process.env["SystemRoot"],
      },
    });
    if (status !== (isSignedIn ? 0 : 1) || !existsSync(file)) {
      throw new Error(`${executable} ${args.join(" ")} recorded nothing of use: ${stderr}`);
    }
    return file;
  });
  return { folder, files };
}

/** In the form of a real one; its tokens are nobody's. */
function loginOfNobody(): string {
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const account = { chatgpt_account_id: "account", chatgpt_plan_type: "plus" };
  const claims = { exp: EXPIRY, email: "a@b.test", "https://api.openai.com/auth": account };
  const jwt = `${encode({ alg: "RS256" })}.${encode(claims)}.${encode("nobody")}`;
  return JSON.stringify({
    auth_mode: "chatgpt",
    tokens: { id_token: jwt, access_token: jwt, refresh_token: "none", account_id: "account" },
    last_refresh: "2026-01-01T00:00:00Z",
  });
}
