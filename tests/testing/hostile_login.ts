import assert from "node:assert/strict";
import { assertNoCanary } from "./canaries.ts";
import { obtainCallback } from "./fake_browser.ts";
import type { TestHome } from "./home.ts";
import { get } from "./http_client.ts";
import type { TestIssuer } from "./issuer.ts";
import { type Ended, type Program, startLogin, type StartOptions, SUBJECT } from "./program.ts";
import { onlyThorough } from "./thorough.ts";
import { CA_PATH, obtainCallbackByTls } from "./tls.ts";

/** Something that was stored before. */
export const EARLIER = {
  auth_mode: "apikey",
  OPENAI_API_KEY: "sk-earlier-0123456789abcdef",
  mine: { kept: true },
};

/** What no terminal, page or log may be given: control characters but for line feeds and tabs, and what hides or turns text. */
export const UNCLEAN =
  // deno-lint-ignore no-control-regex -- that is what must not be there
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** Colours, the window's title, a link, the clipboard, C1, a line that turns round, and what cannot be seen. */
export const ESCAPES =
  "\x1b[31mred\x1b]0;title\x07\x1b]8;;https://evil.test\x1b\\link\x1b]52;c;aGk=\x07\x9b2J\x9d0;x\x9c" +
  "\u202egnp.exe\u2066\u200b\u200d\ufeff\u061c\x00\x08\x7f\r\n\u2028error[FAKE]: end";

/** Starting the sources takes a second; all rows are tried at the executable, and everywhere when there is time. */
export function rowsFor<T>(rows: readonly T[], share = 4): readonly T[] {
  if (SUBJECT === "executable" || onlyThorough() === false) return rows;
  return rows.filter((_, i) => i % share === 0);
}

/** What was seen of a sign-in that came to its end. */
export interface EndedLogin extends Ended {
  readonly page: { readonly status: number; readonly body: string };
}

/** Everything that the program showed or kept, by place; the address to sign in at is the person's to see. */
export async function placesOf(
  home: TestHome,
  { stdout, stderr, page }: Ended & { readonly page?: EndedLogin["page"] },
): Promise<Record<string, string>> {
  const shown = /http\S+\/oauth\/authorize\?[^\s"]+/.exec(stderr + stdout)?.[0];
  const without = (text: string): string => shown === undefined ? text : text.replaceAll(shown, "");
  return {
    stdout: without(stdout),
    stderr: without(stderr),
    "the files": await home.textOutsideAuth(),
    "the page": page?.body ?? "",
  };
}

/** Everything secret of these sign-ins: codes, tokens, verifiers and states. */
export function secretsOf(issuer: TestIssuer, ...programs: readonly Ended[]): string[] {
  const verifiers = issuer.asked("token").map(({ body }) =>
    new URLSearchParams(body).get("code_verifier") ?? ""
  );
  const states = programs.map(({ stderr, stdout }) =>
    /[?&]state=([\w-]{43})/.exec(stderr + stdout)?.[1] ?? ""
  );
  return [...issuer.secrets, ...verifiers, ...states].filter((one) => one !== "");
}

/** Signs in over what was stored, without a browser: the issuer's callback is visited by hand. */
export async function signIn(
  home: TestHome,
  issuer: TestIssuer,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<EndedLogin> {
  await home.writeAuth(EARLIER);
  const isTls = issuer.url.startsWith("https:");
  const env = { ...(isTls ? { NODE_EXTRA_CA_CERTS: CA_PATH } : {}), ...options.env };
  await using program = startLogin(home, issuer, args, { ...options, env });
  return await complete(program, isTls ? obtainCallbackByTls : obtainCallback);
}

export async function complete(
  program: Program,
  obtain: (authUrl: string) => Promise<string>,
): Promise<EndedLogin> {
  const [authUrl] = await program.shows(/http\S+\/oauth\/authorize\?[^\s"]+/);
  const page = await get(await obtain(authUrl));
  return { ...await program.ended, page };
}

/** It failed so, in words and on the page; what was stored is as it was; and no secret, and nothing unclean, is anywhere. */
export async function assertFailedWhole(
  home: TestHome,
  issuer: TestIssuer,
  ended: EndedLogin,
  code: string,
  exitCode = 1,
): Promise<void> {
  assert.match(ended.stderr, new RegExp(`^error\\[${code}\\]: `, "m"), ended.stderr);
  assert.equal(ended.exitCode, exitCode, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.ok(ended.page.status >= 400, `the page has status ${ended.page.status}`);
  assert.ok(ended.page.body.includes(code), ended.page.body);
  await assertUntouched(home);
  const places = await placesOf(home, ended);
  assertNoCanary(places, secretsOf(issuer, ended));
  assertCleanPlaces(places);
}

export async function assertUntouched(home: TestHome): Promise<void> {
  assert.deepEqual(await home.authJson(), EARLIER);
  const left = (await home.list()).filter((name) => /\.tmp|\.pending|corrupt/.test(name));
  assert.deepEqual(left, []);
}

export function assertCleanPlaces(places: Readonly<Record<string, string>>): void {
  for (const [place, text] of Object.entries(places)) {
    assert.doesNotMatch(text, UNCLEAN, `${place} is not clean: ${JSON.stringify(text)}`);
    assert.doesNotMatch(text, /^error\[FAKE\]/m, place);
  }
}
