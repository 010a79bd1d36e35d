import { caFileChecks } from "./checks/ca_files.ts";
import {
  type Check,
  type Examined,
  fail,
  failWith,
  FILES_MS,
  type Finding,
  skip,
} from "./checks/check.ts";
import { environmentChecks } from "./checks/environment.ts";
import { homeChecks } from "./checks/home.ts";
import { issuerChecks } from "./checks/issuer.ts";
import { keyringChecks } from "./checks/keyring.ts";
import { leftoverChecks } from "./checks/leftovers.ts";
import { lockChecks } from "./checks/locks.ts";
import { loopbackChecks } from "./checks/loopback.ts";
import { openerChecks } from "./checks/opener.ts";
import { permissionChecks } from "./checks/permissions.ts";
import { portChecks } from "./checks/ports.ts";
import { programChecks } from "./checks/program.ts";
import { settingsChecks } from "./checks/settings_files.ts";
import { storedIssuer, storedLoginChecks } from "./checks/stored_login.ts";
import { formatDuration } from "./duration.ts";
import { classOf, LoginError, toLoginError } from "./errors.ts";
import { directRoute, type Route } from "./hops.ts";
import { type Clean, createClean } from "./known_secrets.ts";
import { parseIssuer } from "./oauth/issuer.ts";
import { chooseRoute } from "./route.ts";
import type { World } from "./world.ts";

/** What a check has found, fit to be shown to others. */
export interface CheckResult extends Finding {
  readonly id: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Milliseconds for everything together. */
const TOTAL_MS = 14_500;
/** Milliseconds for what is looked up before the checks begin. */
const PREPARING_MS = 2_000;

export interface Diagnosis {
  /** In their order; each resolves as soon as its check is over, and none rejects. */
  readonly results: readonly Promise<CheckResult>[];
  readonly clean: Clean;
}

/**
 * Starts to look at everything that a sign-in needs. It changes nothing, sends nothing secret, and is over in 15 s whatever
 * hangs.
 *
 * @param route to the issuer.
 */
export async function diagnose(
  examined: Examined,
  route?: Route,
): Promise<Diagnosis> {
  const { world, config, hazard } = examined;
  const begun = world.elapsed();
  const { value: clean } = await within(
    world,
    PREPARING_MS,
    createClean(world, config.home, hazard === undefined),
  );
  // Without what is stored, only what looks like a secret can be cut out.
  const cleaning = clean ?? await createClean(world, "", false);
  const base = await chooseIssuer(examined);
  return {
    results: run(world, cleaning, begun, [
      ...listChecks(examined),
      ...await networkChecks(examined, base, route),
    ]),
    clean: cleaning,
  };
}

function listChecks(examined: Examined): Check[] {
  return [
    ...programChecks(examined),
    ...homeChecks(examined),
    ...permissionChecks(examined),
    ...settingsChecks(examined),
    ...storedLoginChecks(examined),
    ...leftoverChecks(examined),
    ...lockChecks(examined),
    ...keyringChecks(examined),
    ...portChecks(examined),
    ...loopbackChecks(examined),
    ...openerChecks(examined),
    ...environmentChecks(examined),
    ...caFileChecks(examined),
  ];
}

/** The way that a sign-in goes, and where that leads by a proxy, the direct one beside it. */
async function networkChecks(
  { world, config: { userAgent } }: Examined,
  base: string,
  route: Route | undefined,
): Promise<Check[]> {
  let chosen = route;
  try {
    chosen ??= await chooseRoute(world, base);
  } catch (thrown) {
    const finding = failWith(toLoginError(thrown), "an http:// proxy");
    return [{ id: "issuer.proxy", limitMs: FILES_MS, run: () => finding }];
  }
  const checks = issuerChecks(world, { prefix: "issuer", base, userAgent }, chosen);
  if (chosen.proxy === undefined) return checks;
  const direct = { ...directRoute(world.fetch), ca: chosen.ca };
  // With a proxy nobody need get there directly, and the request itself would go by the proxy.
  const beside = issuerChecks(world, { prefix: "direct", base, userAgent }, direct)
    .filter(({ id }) => /\.(dns|tcp|tls)$/.test(id))
    .map((check): Check => ({
      ...check,
      run: async (signal) => noFailure(await check.run(signal)),
    }));
  return [...checks, ...beside];
}

function noFailure(finding: Finding): Finding {
  return finding.status === "fail" ? skip(`without the proxy: ${finding.measured}`) : finding;
}

/** The one that was named, else that of the login, which is where it is renewed. */
async function chooseIssuer(examined: Examined): Promise<string> {
  const { world, config } = examined;
  if (config.isIssuerNamed) return config.issuer.base;
  const { value: stored } = await within(world, PREPARING_MS, storedIssuer(examined));
  try {
    return stored === undefined ? config.issuer.base : parseIssuer(stored).base;
  } catch {
    return config.issuer.base;
  }
}

function run(
  world: World,
  clean: Clean,
  begun: number,
  checks: readonly Check[],
): Promise<CheckResult>[] {
  const results = new Map<string, Promise<CheckResult>>();
  for (const check of checks) {
    const needed = check.needs === undefined ? undefined : results.get(check.needs);
    results.set(check.id, runOne(world, clean, begun, check, needed));
  }
  return [...results.values()];
}

async function runOne(
  world: World,
  clean: Clean,
  begun: number,
  check: Check,
  needed: Promise<CheckResult> | undefined,
): Promise<CheckResult> {
  const before = await needed;
  const started = world.elapsed();
  const finding = describeMissing(check, before?.status) ?? await runWithin(world, begun, check);
  const { status, measured, expected, remedy } = finding;
  return {
    id: check.id,
    status,
    measured: clean(measured),
    expected: expected === null ? null : clean(expected),
    remedy: remedy === null ? null : clean(remedy),
    ms: Math.round(world.elapsed() - started),
  };
}

/** A hop that does not exist for this issuer is no obstacle for the next; that one names another. */
function describeMissing(
  { needs }: Check,
  status: Finding["status"] | undefined,
): Finding | undefined {
  if (status === "fail") return skip(`because ${needs} fails`);
  return status === "skip" ? skip(`because ${needs} was skipped`) : undefined;
}

async function runWithin(world: World, begun: number, check: Check): Promise<Finding> {
  const limitMs = Math.min(check.limitMs, TOTAL_MS - (world.elapsed() - begun));
  const ended = new AbortController();
  const finding = (async () => await check.run(ended.signal))().catch((thrown) =>
    thrown instanceof LoginError ? failWith(thrown, "no failure") : fail(
      `the check itself failed (${classOf(thrown)})`,
      "no failure",
      "report it, with the version",
    )
  );
  const { value } = await within(world, limitMs, finding);
  ended.abort();
  const limit = formatDuration(Math.max(limitMs, 0));
  return value ?? fail(`it took too long: more than ${limit}`, `an answer in ${limit}`, REMEDY);
}

const REMEDY = "run it again; if it stays so, what it looks at hangs";

/** The value, if it comes in time. */
async function within<T>(
  world: World,
  limitMs: number,
  work: Promise<T>,
): Promise<{ value?: T }> {
  const enough = new AbortController();
  const late = world.sleep(limitMs, enough.signal).then(() => ({}));
  try {
    return await Promise.race([work.then((value) => ({ value })), late]);
  } finally {
    enough.abort();
  }
}
