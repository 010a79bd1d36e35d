/**
 * Whether everything that is installed may be used, and given to others, as it is here. Part of `npm run check`; exits 1 and
 * names what has another licence, or none.
 */
import { type LockedPackage, readLockfile } from "./lockfile.ts";

/** They ask for no more than to be named. */
const PERMISSIVE = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
];
/** Judges and tools of the tests, of which nothing is given to anybody. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  "axe-core": "MPL-2.0",
  "@axe-core/playwright": "MPL-2.0",
};

/** The packages whose licence is not one of those that are allowed. */
export function findForbidden(packages: readonly LockedPackage[]): LockedPackage[] {
  return packages.filter(({ name, license }) => {
    const alternatives = license.replace(/^\((.*)\)$/, "$1").split(" OR ");
    return !alternatives.some((one) => PERMISSIVE.includes(one) || FOR_TESTS[name] === one);
  });
}

if (import.meta.main) {
  const packages = readLockfile();
  const forbidden = findForbidden(packages);
  for (const { name, version, license } of forbidden) {
    process.stdout.write(`${name}@${version}: ${license || "no licence"} is not allowed here\n`);
  }
  if (forbidden.length === 0) {
    process.stdout.write(`${packages.length} packages, all with licences that are allowed\n`);
  }
  process.exit(forbidden.length === 0 ? 0 : 1);
}
