import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderPicturedPage } from "../tools/pictured_page.ts";
import { COLUMNS, frameText, recordTerminal } from "../tools/terminal_recording.ts";
import { renderTerminalPicture } from "../tools/terminal_picture.ts";
import { ROOT, SUBJECT } from "./testing/program.ts";
import { missingTool } from "./testing/tools.ts";

const AGAIN = "make the pictures again: npm run pictures";
const FOLDER = join(ROOT, "assets", "pictures");
const svg = readFileSync(join(FOLDER, "terminal.svg"), "utf8");

/** The rows of each frame, as whoever looks at the picture reads them. */
function shownRows(picture: string): string[][] {
  return [...picture.matchAll(/<g class="f f\d+">\n([^]*?)<\/g>/g)].map(([, group = ""]) =>
    [...group.matchAll(/<text[^>]*>(.*)<\/text>/g)].map(([, row = ""]) =>
      row.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
        .replaceAll("&amp;", "&")
    )
  );
}

test("the README shows each picture, and says in words what is on it", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const name of ["terminal.svg", "success-light.png", "success-dark.png"]) {
    assert.ok(readme.includes(`assets/pictures/${name}`), name);
    assert.ok(statSync(join(FOLDER, name)).size <= 60_000, `${name} is too large`);
  }
  for (const [image] of readme.matchAll(/<img [^>]*>/g)) assert.match(image, /alt="[^"]{20,}"/);
});

for (const name of ["success-light", "success-dark"]) {
  test(`${name}.png is a picture of the size that is asked for`, () => {
    const png = readFileSync(join(FOLDER, `${name}.png`));
    assert.equal(png.toString("latin1", 1, 4), "PNG");
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1120, 760]);
  });
}

test("the last page in the pictures is the one of today", async () => {
  const { sha256 } = JSON.parse(readFileSync(join(FOLDER, "success.json"), "utf8"));
  assert.equal((await renderPicturedPage()).digest, sha256, AGAIN);
});

test("the recorded terminal is well-formed, runs nothing, fetches nothing, and obeys who asks for less motion", () => {
  const open: string[] = [];
  for (const [, closes, name = "", own] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (closes) assert.equal(open.pop(), name);
    else if (!own) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.equal(svg.replace(/<\/?[a-z][^<>]*>/g, "").match(/[<]|&(?!amp;|lt;|gt;)/), null);
  assert.doesNotMatch(
    svg,
    /<script|<foreignObject|<image|<use|\son\w+=|href|url\(|@import|javascript:/i,
  );
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox=/);
  assert.match(svg, /<title id="title">[^<]+<\/title>\n<desc id="description">[^<]+<\/desc>/);
  // Without the wish for motion, and without animations at all, one frame is there to be read.
  const still = svg.slice(0, svg.indexOf("@media (prefers-reduced-motion: no-preference)"));
  assert.equal([...still.matchAll(/^\.f\d+ \{ visibility: visible; \}$/gm)].length, 1);
  assert.doesNotMatch(still, /animation/);
});

test("the recorded terminal shows no secret, no path of a machine and no host but an example", () => {
  const text = shownRows(svg).flat().join("\n");
  assert.doesNotMatch(text, /\beyJ|\brt_|\bat-|\bsk-|\/tmp\/|\/root\/|127\.0\.0\.1/);
  for (const [, host = ""] of text.matchAll(/https?:\/\/([^/?\s"]+)/g)) {
    assert.equal(host, "auth.example.com");
  }
  for (const [path] of text.matchAll(/\/home\/\S+/g)) assert.match(path, /^\/home\/ada\/\.codex/);
  for (const row of text.split("\n")) assert.ok(row.length <= COLUMNS, row);
});

test(
  `${SUBJECT}: the recorded terminal shows what the program says today`,
  { timeout: 60_000, skip: missingTool("tmux", "-V") },
  async () => {
    const frames = await recordTerminal();
    assert.deepEqual(shownRows(svg), frames.map(frameText), AGAIN);
  },
);

test("colours, characters of XML and every row come out as they were shown", () => {
  const frames = [
    {
      rows: ["$ a <b> & c", "", "\x1b[32m[ok]\x1b[39m   x", "\x1b[2m\x1b[1mdim\x1b[22m no"],
      seconds: 1,
    },
    { rows: ["\x1b[31mred\x1b[0m plain"], seconds: 3 },
  ];
  const picture = renderTerminalPicture(frames, { title: "a", description: "b" });
  assert.deepEqual(shownRows(picture), [["$ a <b> & c", "[ok]   x", "dim no"], ["red plain"]]);
  assert.ok(picture.includes('<tspan class="g">[ok]</tspan>   x'));
  assert.ok(picture.includes('<tspan class="d b">dim</tspan> no'));
  assert.ok(
    picture.includes("@keyframes k1 { 0% { visibility: hidden; } 25% { visibility: visible; } }"),
  );
});
