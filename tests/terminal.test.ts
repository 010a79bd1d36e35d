import assert from "node:assert/strict";
import { test } from "node:test";
import { LoginError } from "../src/errors.ts";
import { formatError, formatLink, resolveStyle } from "../src/terminal.ts";
import { verifies } from "./testing/verifies.ts";

const TERMINAL = true;
const PIPE = false;
const NOTHING = { plain: false, noColor: false };

test("resolveStyle() colours terminals that want it and nothing else", async () => {
  const rows: [
    env: Record<string, string>,
    isTerminal: boolean,
    options: typeof NOTHING,
    color: boolean,
    links: boolean,
  ][] = [
    [{}, TERMINAL, NOTHING, true, true],
    [{}, PIPE, NOTHING, false, false],
    [{ NO_COLOR: "1" }, TERMINAL, NOTHING, false, true],
    [{ NO_COLOR: "" }, TERMINAL, NOTHING, true, true],
    [{ TERM: "dumb" }, TERMINAL, NOTHING, false, false],
    [{ FORCE_COLOR: "1" }, PIPE, NOTHING, true, false],
    [{ FORCE_COLOR: "0" }, PIPE, NOTHING, false, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, PIPE, NOTHING, false, false],
    [{}, TERMINAL, { plain: true, noColor: false }, false, false],
    [{}, TERMINAL, { plain: false, noColor: true }, false, true],
  ];
  for (const [env, isTerminal, options, color, links] of rows) {
    assert.deepEqual(
      await resolveStyle({ env, isTerminal: () => Promise.resolve(isTerminal) }, options),
      { color, links },
      JSON.stringify([env, options]),
    );
  }
});

verifies("S65", "formatError() gives what, why, what next and what is untouched, cleaned", () => {
  const error = new LoginError("TOKEN_ENDPOINT", "Refused \x1b[2J", {
    reason: "HTTP 400 \u202ebad",
    hint: "do this",
  });
  error.note = "your earlier login is untouched";
  assert.equal(
    formatError(error, { color: false, links: false }),
    "error[TOKEN_ENDPOINT]: Refused [2J\n  cause: HTTP 400 bad\n  try:   do this\n  note:  your earlier login is untouched",
  );
  const bare = formatError(new LoginError("USAGE", "No"), { color: true, links: false });
  assert.equal(bare, "\x1b[1;31merror[USAGE]\x1b[0m: No\n  try:   codex-login --help");
});

test("formatLink() leaves the address whole", () => {
  const url = "https://issuer.test/a?b=c";
  assert.equal(formatLink(url, { color: false, links: false }), url);
  assert.equal(
    formatLink(url, { color: false, links: true }),
    `\x1b]8;;${url}\x1b\\${url}\x1b]8;;\x1b\\`,
  );
});
