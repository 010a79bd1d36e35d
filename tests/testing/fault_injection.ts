import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { countedCommand } from "./counted_program.ts";
import { createHome, type TestHome } from "./home.ts";
import { startIssuer, type TestIssuer } from "./issuer.ts";
import { assertNoSecrets } from "./leaks.ts";
import { type Ended, type Program, runProgram, startProgram } from "./program.ts";
import {
  type FileCall,
  injecting,
  type Injection,
  isReading,
  readCalls,
  readInjected,
  recording,
} from "./strace.ts";
import { onlyThorough } from "./thorough.ts";

/** One command line to be hurt at each of its system calls. */
export interface Scenario {
  readonly name: string;
  args(issuer: TestIssuer): readonly string[];
  /** What comes on stdin. No message may ever repeat it. */
  readonly input?: string;
  /** Puts into an empty home what is there before the command. */
  prepare(home: TestHome, issuer: TestIssuer): Promise<void>;
  /** What somebody else does while the command runs. It may find that the command is gone. */
  meanwhile?(program: Program): Promise<void>;
  /** What is stored; default: the text of auth.json, undefined when there is none. */
  read?(home: TestHome): Promise<string | undefined>;
  /** Whether all was done, by what `read` gives. */
  isDone(stored: string | undefined, issuer: TestIssuer): boolean;
  /** Whether nothing is stored because a kill came between two steps that cannot be one, and nothing of worth is lost. */
  isBetween?(home: TestHome): Promise<boolean>;
  /** What `status` must end with, by what is stored; default: 0. */
  status?(outcome: Outcome): number;
  /** Names in the home, besides those of a login, that the command makes or keeps. */
  readonly owns?: RegExp;
  /** Put before strace. */
  wrapper?(home: TestHome): readonly string[];
  /** Calls of this scenario whose failure may go unnoticed, besides those of `isHarmless()`. */
  isHarmless?(call: FileCall): boolean;
  /** Calls that are made more than once, for what matters and for what does not: all was done, or nothing. */
  isSometimesHarmless?(call: FileCall): boolean;
  /** What more must be true after a kill: `outcome` tells which of the two auth.json holds. */
  afterKill?(at: { home: TestHome; issuer: TestIssuer; outcome: Outcome }): Promise<void>;
  /** Patterns of calls, `rename *.tmp`, that must be among those that were hurt. */
  readonly touches: readonly RegExp[];
  /** Runs instead of the program, to see whether it would be caught. */
  readonly command?: readonly string[];
}

export type Outcome = "old" | "done" | "between";

/** The errors of a disk that can happen at any moment, and at which of the calls each of them is tried. */
const DISK_ERRORS = ["ENOSPC", "EIO", "EROFS", "EACCES"] as const;
const THOROUGH: ReadonlySet<string> = new Set(
  ["write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2"],
);

const KEY_AFTERWARDS = "sk-afterwards-0123456789abcdef";

/** How often one call is aimed at, if threads share the work in another way each time. */
const MAX_TRIES = 40;

/** How many runs of a scenario go on at the same time. */
const LANES = 4;

/**
 * Kills the command at each of its system calls on a file of its home, and looks each time: auth.json is byte for byte what
 * it was, or whole and new; 0600; nothing else is left but temporary files that nobody else can read, and those only until
 * the next command that writes; and that next command works.
 *
 * @param only restricts it to calls, `name path`, like this.
 */
export async function killEverywhere(scenario: Scenario, only = /./): Promise<void> {
  // What only looks leaves the disk as the call before it did.
  const kill = (call: FileCall): Injection[] => isReading(call) ? [] : ["kill"];
  await hurtEverywhere(scenario, only, kill, async (run) => {
    const { home, issuer } = run;
    const outcome = await judge(run);
    await assertPrivate(run);
    await scenario.afterKill?.({ home, issuer, outcome });
    const options = { wrapper: scenario.wrapper?.(home) ?? [], cwd: "/" };
    const status = await runProgram(home, ["status"], options);
    assert.equal(status.exitCode, scenario.status?.(outcome) ?? 0, status.stderr);
    const login = ["login", "--with-api-key"];
    const next = await runProgram(home, login, { ...options, input: KEY_AFTERWARDS });
    assert.equal(next.exitCode, 0, next.stderr);
    assert.deepEqual(await leftovers(home), []);
  });
}

/**
 * Lets each of the command's system calls on a file of its home fail, and looks each time: either that call does not matter
 * and all was done, or the command ends with 3 and names the error, auth.json is byte for byte what it was, nothing is left
 * beside it, and no message holds a secret.
 */
export async function failEverywhere(scenario: Scenario, only = /./): Promise<void> {
  const errors = ({ name }: FileCall): Injection[] => {
    // Whatever it answers, Linux lets go of the descriptor; and what was to be kept has been synced before.
    if (name === "close") return [];
    if (name === "flock") return ["error=ENOLCK"];
    if (isReading({ name })) return ["error=EIO"];
    return THOROUGH.has(name) || !onlyThorough()
      ? DISK_ERRORS.map((error): Injection => `error=${error}`)
      : ["error=EIO"];
  };
  await hurtEverywhere(scenario, only, errors, async (run) => {
    const { ended, call, injection, home, issuer, before } = run;
    const told = `${ended.stdout}\n${ended.stderr}`;
    assertNoSecrets(told.replace(/^http\S+authorize\S+$/gm, ""), issuer);
    assert.ok(!scenario.input || !told.includes(scenario.input), "stdin is repeated");
    if (isHarmless(call) || scenario.isHarmless?.(call)) {
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.equal(await judge(run), "done");
      return;
    }
    if (ended.exitCode === 0 && (isReadAgain(call) || scenario.isSometimesHarmless?.(call))) {
      assert.equal(await judge(run), "done");
      return;
    }
    assert.equal(ended.exitCode, 3, ended.stderr);
    await assertPrivate(run);
    // More than one call failed: then the new one may be all that is whole.
    if (run.hits > 1) return void await judge(run);
    const code = call.name === "flock" ? "LOCK_UNSUPPORTED" : isReading(call) ||
        call.name === "openat" && /O_RDONLY\|O_NONBLOCK|O_DIRECTORY/.test(call.text)
      ? "CREDENTIALS_UNREADABLE"
      : "SAVE_FAILED";
    assert.match(ended.stderr, new RegExp(`^error\\[${code}\\]: `, "m"));
    if (code !== "LOCK_UNSUPPORTED") {
      assert.ok(ended.stderr.includes(`(${injection.slice("error=".length)})`), ended.stderr);
    }
    assert.ok(run.stored === before, "what was stored is changed");
    assert.deepEqual(await leftovers(home), []);
    assert.ok(!(await home.list()).some((name) => name.includes("corrupt")), "it was put aside");
  });
}

/** Calls on which nothing depends: the log, looking around, telling the disk to hurry after all is done. */
function isHarmless({ name, path, text }: FileCall): boolean {
  if (path === "log" || path.startsWith("log/")) return true;
  // A temporary file that cannot be removed is removed by the next save.
  if (name.startsWith("unlink") && path.endsWith(".tmp")) return true;
  if (name === "openat" && /O_PATH|O_DIRECTORY/.test(text)) return path !== "profiles";
  return path === "." && ["openat", "fsync", "getdents64"].includes(name);
}

/** A login that cannot be read at once is read once more, with care; the second time it is told. */
function isReadAgain(call: FileCall): boolean {
  const isOpened = call.name === "openat" && /O_RDONLY\|O_NONBLOCK/.test(call.text);
  return call.path === "auth.json" && (isOpened || isReading(call));
}

/** One run that was hurt. */
interface Run {
  readonly scenario: Scenario;
  readonly home: TestHome;
  readonly issuer: TestIssuer;
  readonly call: FileCall;
  /** How many calls that matter were hit: one in each thread at most. */
  readonly hits: number;
  readonly injection: Injection;
  readonly ended: Ended;
  /** What was stored before and is now. */
  readonly before: string | undefined;
  readonly stored: string | undefined;
}

async function hurtEverywhere(
  scenario: Scenario,
  only: RegExp,
  injections: (call: FileCall) => readonly Injection[],
  check: (run: Run) => Promise<void>,
): Promise<void> {
  const command = scenario.command ?? countedCommand();
  const calls = (await recordCalls(scenario, command)).filter((call) => only.test(say(call)));
  const wanted = calls.flatMap((call) =>
    injections(call).map((injection) => ({ call, injection, tries: 0 }))
  );
  const work = [...wanted];
  const hit = new Set<string>();
  const isHit = ({ call, injection }: { call: FileCall; injection: Injection }): boolean =>
    hit.has(`${injection} ${say(call)} ${call.count}`);
  const failures: string[] = [];
  const lanes = Array.from({ length: LANES }, async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const { call, injection, tries } = next;
      if (tries > 0 && isHit(next)) continue;
      const count = call.count - tries % Math.ceil(call.count / 2);
      const counts = await hurt(scenario, command, { ...call, count }, injection, check)
        .catch((thrown) => {
          failures.push(thrown.message);
          return [call.count];
        });
      for (const one of counts) hit.add(`${injection} ${say(call)} ${one}`);
      next.tries++;
      // Which thread makes a call is another one each time.
      if (!isHit(next) && next.tries < MAX_TRIES && isOneOfAKind(next)) work.push(next);
    }
  });
  await Promise.all(lanes);
  if (failures.length > 0) throw new Error(failures.join("\n"));
  const kinds = new Set(wanted.filter(isHit).map(({ call }) => say(call)));
  const missed = wanted.filter((one) =>
    !isHit(one) && (isOneOfAKind(one) || !kinds.has(say(one.call)))
  );
  assert.deepEqual(
    missed.map(({ call, injection }) => `${injection} at ${say(call)} no. ${call.count}`),
    [],
    "these were never hurt",
  );
  for (const pattern of scenario.touches) {
    assert.ok(
      wanted.some(({ call }) => pattern.test(say(call))),
      `${pattern} is not in ${[...hit]}`,
    );
  }
}

/** A kill where nothing on the disk is about to change finds what the next one finds: one of that name is enough. */
function isOneOfAKind(
  { call, injection }: { readonly call: FileCall; readonly injection: Injection },
): boolean {
  if (injection !== "kill") return true;
  if (call.name === "close" || call.name === "flock") return false;
  if (!call.name.startsWith("open")) return true;
  return /O_EXCL|O_TRUNC/.test(call.text) || (/O_CREAT/.test(call.text) && call.count === 1);
}

function say({ name, path }: FileCall): string {
  return `${name} ${path}`;
}

/** @returns which calls of this kind were met, counted over all threads. */
async function hurt(
  scenario: Scenario,
  command: readonly string[],
  call: FileCall,
  injection: Injection,
  check: (run: Run) => Promise<void>,
): Promise<number[]> {
  await using at = await setUp(scenario);
  const wrapper = [
    ...scenario.wrapper?.(at.home) ?? [],
    ...injecting(at.trace, at.home.path, call, injection),
  ];
  const ended = await runScenario(scenario, command, at, wrapper);
  const stored = await readStored(scenario, at.home);
  const hits = (await readInjected(at.trace, injection)).map((one) => ({ ...call, ...one }));
  // Where two threads were hit, what counts is the call that matters.
  const hit = hits.findLast((one) => !isHarmless(one)) ?? hits[0];
  const matters = hits.filter((one) => !isHarmless(one)).length;
  const run: Run = { ...at, scenario, injection, ended, stored, call: hit ?? call, hits: matters };
  try {
    if (hit) await check(run);
    else assert.deepEqual([ended.exitCode, await judge(run)], [0, "done"], ended.stderr);
  } catch (thrown) {
    const error = thrown as Error;
    error.message = `${scenario.name}, ${injection} at ${call.name} no. ${call.count} of ` +
      `${call.path} (${run.call.text}): ${error.message}\n${ended.stderr}`;
    throw error;
  }
  return hits.map(({ count }) => count);
}

/** Every call of an undisturbed run, which must succeed. Of a log, one of each kind is enough. */
async function recordCalls(
  scenario: Scenario,
  command: readonly string[],
): Promise<readonly FileCall[]> {
  await using at = await setUp(scenario);
  const wrapper = [...scenario.wrapper?.(at.home) ?? [], ...recording(at.trace)];
  const ended = await runScenario(scenario, command, at, wrapper);
  assert.equal(ended.exitCode, 0, ended.stderr);
  const stored = await readStored(scenario, at.home);
  assert.ok(scenario.isDone(stored, at.issuer), `${scenario.name} left ${stored}`);
  const calls = await readCalls(at.trace, at.home.path);
  return calls.filter(({ path, count }) =>
    !IGNORED.test(path) && !(path.startsWith("log/") && count > 1)
  );
}

/** Settings that are only read, the note of a login on a port that is another in each run, and what the runtimes keep. */
const IGNORED = /^(config\.toml|\.env|codex-login(\/.*)?|\.(bun|cache|deno)(\/.*)?)$/;

interface SetUp extends AsyncDisposable {
  readonly home: TestHome;
  readonly issuer: TestIssuer;
  readonly before: string | undefined;
  readonly trace: string;
}

async function setUp(scenario: Scenario): Promise<SetUp> {
  const home = await createHome();
  const issuer = await startIssuer();
  await scenario.prepare(home, issuer);
  const before = await readStored(scenario, home);
  const trace = `${home.path}.trace`;
  return {
    ...{ home, issuer, before, trace },
    async [Symbol.asyncDispose](): Promise<void> {
      await issuer[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
      await rm(trace, { force: true });
    },
  };
}

async function runScenario(
  scenario: Scenario,
  command: readonly string[],
  { home, issuer }: SetUp,
  wrapper: readonly string[],
): Promise<Ended> {
  await using program = startProgram(home, scenario.args(issuer), {
    ...{ wrapper, cwd: "/" },
    program: command,
    ...(scenario.input === undefined ? {} : { input: scenario.input }),
  });
  await scenario.meanwhile?.(program).catch(() => {});
  return await program.ended;
}

async function readStored(scenario: Scenario, home: TestHome): Promise<string | undefined> {
  return await (scenario.read?.(home) ?? home.readAuth()).catch(() => undefined);
}

async function judge({ scenario, stored, before, issuer, home }: Run): Promise<Outcome> {
  if (stored === before) return "old";
  if (stored === undefined && await scenario.isBetween?.(home)) return "between";
  assert.ok(scenario.isDone(stored, issuer), `neither old nor new: ${JSON.stringify(stored)}`);
  return "done";
}

/** What a save that was killed may leave, for the next one to clear away. */
const LEFTOVER = /^\.auth\.json\.(pending\.)?codex-login-[\w-]+\.tmp$|^auth\.json\.pending$/;

async function leftovers(home: TestHome): Promise<string[]> {
  return (await home.list()).filter((name) => LEFTOVER.test(name));
}

/** Nobody else can read what is there, and there is nothing but what has a name of ours. */
async function assertPrivate({ home, scenario }: Run): Promise<void> {
  for (const name of await home.list()) {
    if (["log", "codex-login"].includes(name) || IGNORED.test(name)) continue;
    const isOurs = OURS.test(name) || LEFTOVER.test(name) || scenario.owns?.test(name);
    assert.ok(isOurs, `${name} was left`);
    assert.match(await home.mode(name), /^[67]00$/, name);
  }
}

const OURS = /^auth(\.lock|\.refresh\.(lock|sent)|\.json(\.lock|\.corrupt-\w+)?)$/;
