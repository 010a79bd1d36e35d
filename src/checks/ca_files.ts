import { X509Certificate } from "node:crypto";
import { formatRfc3339 } from "../rfc3339.ts";
import { readSmallFile } from "../small_file.ts";
import { environmentValue, type World } from "../world.ts";
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

const VARIABLES = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
/** Bundles of a whole system have a quarter of it. */
const MAX_BYTES = 4 << 20;
const PEM =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** The files of certificates that the environment names. */
export function caFileChecks({ world }: Examined): Check[] {
  return [{
    id: "ca.files",
    limitMs: FILES_MS,
    async run(): Promise<Finding> {
      const named = VARIABLES.flatMap((variable) => {
        const path = environmentValue(world, variable);
        return path === undefined ? [] : [{ variable, path }];
      });
      if (named.length === 0) {
        return skip("no variable names any; the built-in and the system's count");
      }
      return combine(await Promise.all(named.map((one) => examine(one, world))));
    },
  }];
}

async function examine(
  { variable, path }: { variable: string; path: string },
  world: Pick<World, "now">,
): Promise<Finding> {
  const told = `${variable}=${path}`;
  const expected = "a readable file with certificates (PEM)";
  const remedy = `correct ${variable}, or unset it`;
  let why = "it does not exist";
  const text = await readSmallFile(path, MAX_BYTES, (reason) => {
    why = reason;
    return new Error(reason);
  }).catch(() => undefined);
  if (text === undefined) return fail(`${told}: ${why}`, expected, remedy);
  const blocks = text.match(PEM) ?? [];
  if (blocks.length === 0) return fail(`${told}: no certificate is in it`, expected, remedy);
  const expired: number[] = [];
  for (const [i, block] of blocks.entries()) {
    try {
      const until = Date.parse(new X509Certificate(block.replaceAll("TRUSTED ", "")).validTo);
      if (until < world.now()) expired.push(until);
    } catch {
      const line = text.slice(0, text.indexOf(block)).split("\n").length;
      return fail(
        `${told}: certificate ${i + 1}, at line ${line}, cannot be read`,
        expected,
        remedy,
      );
    }
  }
  if (expired.length === blocks.length) {
    const last = formatRfc3339(Math.max(...expired));
    return warn(
      `${told}: every certificate in it has expired, the last at ${last}`,
      "certificates that are valid",
      `ask for a newer file, and name it in ${variable}`,
    );
  }
  return ok(`${told} (certificates: ${blocks.length})`);
}
