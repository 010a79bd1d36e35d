import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sleep } from "../../src/system_world.ts";
import { type AppServerRun, startAppServer } from "../testing/app_server_run.ts";
import { createHome, type TestHome } from "../testing/home.ts";
import { startIssuer, type TestIssuer } from "../testing/issuer.ts";
import { CA_PATH, TLS } from "../testing/tls.ts";
import { createNames, doStep, type Transcript } from "../testing/transcript.ts";
import { compareConversations, type Difference, normalize } from "./conversation.ts";
import { PATH } from "./reference.ts";

type Message = Record<string, unknown>;

const VECTORS = fileURLToPath(new URL("../vectors/app_server/", import.meta.url));

interface Listed {
  readonly why: string;
  readonly differences: readonly Difference[];
  /** Whether only what is said counts, where the reference says it in an order of chance. Ours is the transcript's. */
  readonly inAnyOrder?: boolean;
}

/** What we do otherwise, by transcript, and why. Nothing else may differ. */
const LISTED: Record<string, Listed> = JSON.parse(
  readFileSync(new URL("app_server_differences.json", import.meta.url), "utf8"),
);
/**
 * Milliseconds that an answer may take, and after which no more is expected. The reference gives up what it waits for by
 * itself: with more patience for what it does not say, it would say other things later.
 */
const ANSWER_MS = 3_000;
const REST_MS = 400;
/** Milliseconds that the first answer may take: nothing is given up before it, and 294 MB may have to come from the disk. */
const START_MS = 60_000;

/** Says to a server what the transcript says, and tells what it said. */
async function converse(
  run: AppServerRun,
  issuer: TestIssuer,
  home: TestHome,
  { steps }: Transcript,
): Promise<string[]> {
  const names = createNames(issuer, home.path);
  const said: Message[] = [];
  const patterns = steps.flatMap(([kind, what]) => kind === "<-" ? [what] : []);
  let pending = run.next();
  pending.catch(() => {});

  /** Whether a message of the account API came in time. */
  async function take(ms: number): Promise<boolean> {
    for (;;) {
      const message = await Promise.race([
        pending.catch(() => undefined),
        sleep(ms).then(() => undefined),
      ]);
      if (!message) return false;
      pending = run.next();
      pending.catch(() => {});
      const { id, method } = message;
      const isForeign = /^(configWarning|remoteControl\/)/.test(String(method));
      if (isForeign) continue;
      said.push(message);
      // Whatever order they come in, an answer belongs to the request with its id.
      const pattern = patterns.find((one) =>
        method === undefined && "result" in one && one["id"] === id
      );
      if (pattern) names.meet(pattern, message);
      return true;
    }
  }

  for (const step of steps) {
    if (step[0] === "<-") await take(said.length === 0 ? START_MS : ANSWER_MS);
    else await doStep(run, issuer, names, step);
  }
  while (await take(REST_MS));
  return said.map((message) => normalize(message));
}

/** Both at once misbehave and behave. */
function alike(main: TestIssuer, other: TestIssuer): TestIssuer {
  const misbehave = new Proxy(main.misbehave, {
    set(target, name, value): boolean {
      Object.assign(other.misbehave, { [name]: value });
      return Reflect.set(target, name, value);
    },
    deleteProperty(target, name): boolean {
      Reflect.deleteProperty(other.misbehave, name);
      return Reflect.deleteProperty(target, name);
    },
  });
  return Object.defineProperty(Object.create(main), "misbehave", { value: misbehave });
}

for (const file of readdirSync(VECTORS)) {
  const transcript: Transcript = JSON.parse(readFileSync(join(VECTORS, file), "utf8"));
  test(`the reference and we, ${file}`, { timeout: 120_000 }, async () => {
    // Its own API must be at an https address, ours may be on loopback.
    await using issuer = await startIssuer();
    await using api = await startIssuer({ tls: TLS, knownTokens: issuer.secrets });
    const both = alike(issuer, api);
    const conversations: string[][] = [];
    for (const isReference of [true, false]) {
      await using home = await createHome();
      const base = `chatgpt_base_url = "${(isReference ? api : issuer).url}/backend-api/"\n`;
      const config = (transcript.config ?? "").replace(/^chatgpt_base_url.*\n/, "");
      await writeFile(join(home.path, "config.toml"), base + config);
      await using run = startAppServer(home, issuer, isReference ? [] : transcript.args, {
        isReference,
        ...(isReference ? { program: [PATH] } : {}),
        env: {
          CODEX_CA_CERTIFICATE: CA_PATH,
          HTTPS_PROXY: "http://127.0.0.1:9",
          NO_PROXY: "127.0.0.1,localhost",
        },
      });
      conversations.push(await converse(run, both, home, transcript));
      for (const name of Object.keys(issuer.misbehave)) {
        Reflect.deleteProperty(both.misbehave, name);
      }
      assert.equal((await run.end()).exitCode, 0);
    }
    const [theirs = [], ours = []] = conversations;
    const { inAnyOrder = false, differences = [] } = LISTED[file.replace(/\.json$/, "")] ?? {};
    const found = inAnyOrder
      ? compareConversations(theirs.toSorted(), ours.toSorted())
      : compareConversations(theirs, ours);
    for (const line of found) process.stdout.write(`${file}: ${line}\n`);
    assert.deepEqual(found, differences);
  });
}
