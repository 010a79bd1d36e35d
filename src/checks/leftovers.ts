import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { resolveAuthPath } from "../credentials/auth_path.ts";
import { inspectExchange } from "../credentials/profile_exchange.ts";
import { toLoginError } from "../errors.ts";
import {
  type Check,
  combine,
  type Examined,
  failWith,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** What processes that were killed, or damage, have left beside the login. */
export function leftoverChecks({ config: { home } }: Examined): Check[] {
  return [{
    id: "login.leftovers",
    limitMs: FILES_MS,
    needs: "home.auth_file",
    run: () => home === "" ? skip("nobody knows where the home folder is") : examine(home),
  }];
}

async function examine(home: string): Promise<Finding> {
  try {
    const { target } = await resolveAuthPath(home);
    const name = basename(target);
    const names = await readdir(dirname(target)).catch((): string[] => []);
    const findings: Finding[] = [];
    const damaged = names.filter((one) => one.startsWith(`${name}.corrupt-`));
    if (damaged.length > 0) {
      findings.push(warn(
        `${damaged.join(", ")}: damaged logins that were kept aside`,
        "none",
        `they may hold tokens: delete them in ${dirname(target)} when you do not need them`,
      ));
    }
    if (names.includes(`${name}.pending`)) {
      findings.push(warn(
        `${name}.pending: a process ended while it wrote ${name}`,
        "none",
        "codex-login refresh, or a new sign-in, puts it in order",
      ));
    }
    const temporary = names.filter((one) => one.startsWith(`.${name}.`) && one.endsWith(".tmp"));
    if (temporary.length > 0) {
      findings.push(warn(
        `${temporary.length} temporary files of processes that were killed, or are saving now`,
        "none",
        "the next sign-in or refresh removes them",
      ));
    }
    const halfway = await inspectExchange(home);
    if (halfway) {
      findings.push(warn(
        `an exchange of profiles is not finished (${halfway.stage})`,
        "none under way",
        "codex-login refresh, or codex-login profile use NAME, finishes it",
      ));
    }
    return findings.length > 0 ? combine(findings) : ok("none");
  } catch (thrown) {
    return failWith(toLoginError(thrown), "a folder that can be looked into");
  }
}
