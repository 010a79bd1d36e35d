import { LoginError } from "../errors.ts";
import { formatRfc3339 } from "../rfc3339.ts";
import { type NamedFile, namedFiles, readCertificates } from "../trust.ts";
import type { World } from "../world.ts";
import {
  type Check,
  combine,
  type Examined,
  fail,
  FILES_MS,
  type Finding,
  ok,
  skip,
  warn,
} from "./check.ts";

/** The files of certificates that the environment names. */
export function caFileChecks({ world }: Examined): Check[] {
  return [{
    id: "ca.files",
    limitMs: FILES_MS,
    async run(): Promise<Finding> {
      const named = namedFiles(world.env);
      if (named.length === 0) {
        return skip("no variable names any; the built-in and the system's count");
      }
      return combine(await Promise.all(named.map((one) => examine(one, world))));
    },
  }];
}

async function examine(named: NamedFile, world: Pick<World, "now">): Promise<Finding> {
  const { variable, path } = named;
  const told = `${variable}=${path}`;
  try {
    const times = (await readCertificates(named)).map(({ validTo }) => Date.parse(validTo));
    const last = Math.max(...times);
    if (last >= world.now()) return ok(`${told} (certificates: ${times.length})`);
    return warn(
      `${told}: every certificate in it has expired, the last at ${formatRfc3339(last)}`,
      "certificates that are valid",
      `ask for a newer file, and name it in ${variable}`,
    );
  } catch (thrown) {
    if (!(thrown instanceof LoginError)) throw thrown;
    return fail(
      `${variable}=${thrown.reason}`,
      "a readable file with certificates (PEM)",
      thrown.hint,
    );
  }
}
