import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./testing/program.ts";

/** Where documents may lead to: their links are not followed here. */
const HOSTS = ["github.com", "nodejs.org"];
const HOME = "https://github.com/codex-login/codex-login";

const documents = readdirSync(ROOT).filter((name) => name.endsWith(".md"));

function read(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** Without what is shown as it is typed, where nothing is a link. */
function prose(text: string): string {
  return text.replace(/^ *```[^]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "code");
}

/** What the headings of a page can be reached by, as GitHub makes it of their words. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.replace(/^```[^]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim().toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\-_ ]/gu, "").replaceAll(" ", "-");
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

function linksOf(text: string): string[] {
  const inMarkdown = prose(text).matchAll(/\]\(([^)\s]*)[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm);
  const inHtml = prose(text).matchAll(/\s(?:src|srcset|href)="([^"]*)"/g);
  return [...inMarkdown, ...inHtml].map(([, link = "", named]) => named ?? link);
}

/** What is wrong with a link of this document, if anything. */
function faultOf(link: string, name: string, text: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) {
    const isKnown = link.startsWith("https://") && HOSTS.includes(new URL(link).host);
    return isKnown ? undefined : "leads to a host that is not listed in this test";
  }
  const [path = "", anchor] = link.split("#");
  const file = join(ROOT, dirname(name), path);
  if (path.startsWith("/") || !existsSync(path === "" ? join(ROOT, name) : file)) return "no file";
  if (anchor === undefined) return path === "" ? "leads nowhere" : undefined;
  if (path !== "" && statSync(file).isDirectory()) return "a folder has no headings";
  const target = path === "" ? text : readFileSync(file, "utf8");
  return anchorsOf(target).has(anchor) ? undefined : "no such heading";
}

for (const name of documents) {
  test(`${name}: every link leads somewhere`, () => {
    const text = read(name);
    for (const link of linksOf(text)) {
      assert.equal(faultOf(link, name, text), undefined, `${name}: ${link}`);
    }
  });
}

test("every npm script that a document names exists", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const { tasks } = JSON.parse(read("deno.json"));
  for (const name of documents) {
    for (const [, script = ""] of read(name).matchAll(/\bnpm run ([a-z][a-z:]*)/g)) {
      assert.ok(Object.hasOwn(scripts, script), `${name}: npm run ${script}`);
    }
    for (const [, task = ""] of read(name).matchAll(/\bdeno task ([a-z][a-z:]*)/g)) {
      assert.ok(Object.hasOwn(tasks, task), `${name}: deno task ${task}`);
    }
  }
});

test("the home of the project is one address", () => {
  for (const name of documents) {
    for (
      const [address] of read(name).matchAll(
        /https?:\/\/(?:www\.)?github\.com\/codex-login[^\s"`)]*/g,
      )
    ) {
      assert.ok(address === HOME || address.startsWith(`${HOME}/`), `${name}: ${address}`);
    }
  }
});

test("the newest section of the changelog is the version of the package, with its day", () => {
  const { version } = JSON.parse(read("package.json"));
  const [, newest, day = ""] = /^## (\S+)(?: - (\S+))?$/m.exec(read("CHANGELOG.md")) ?? [];
  assert.equal(newest, version);
  assert.match(day, /^\d{4}-\d\d-\d\d$/);
});

test("CONTRIBUTING says of every library what it is for", () => {
  const { devDependencies, optionalDependencies } = JSON.parse(read("package.json"));
  const libraries = read("CONTRIBUTING.md").split("## Libraries")[1] ?? "";
  const named = [...libraries.matchAll(/^\|(.+?)\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  );
  const known = Object.keys({ ...devDependencies, ...optionalDependencies });
  assert.deepEqual(named.sort(), known.sort());
});

test("links and headings are found as a reader finds them, and what leads nowhere is told", () => {
  const text = [
    "# One",
    "## What's `new` in [it](x.md)?",
    "## One",
    "[a](#one) [b](#whats-new-in-it) ![c](README.md 'd') `[no](nowhere.md)`",
    "```",
    "[no](nowhere.md)",
    "# no",
    "```",
    '<img src="assets/pictures/terminal.svg">',
    "[e]: SECURITY.md#security",
  ].join("\n");
  assert.deepEqual([...anchorsOf(text)], ["one", "whats-new-in-it", "one-1"]);
  const links = linksOf(text);
  assert.deepEqual(links, [
    "x.md",
    ...["#one", "#whats-new-in-it", "README.md", "SECURITY.md#security"],
    "assets/pictures/terminal.svg",
  ]);
  for (const link of links.slice(1)) {
    assert.equal(faultOf(link, "README.md", text), undefined, link);
  }
  const bad = ["x.md", "#no", "README.md#no", "/README.md", "#", "", "schemas#one"];
  const foreign = ["http://github.com/", "https://example.com/", "mailto:a@example.com"];
  for (const link of [...bad, ...foreign]) assert.ok(faultOf(link, "README.md", text), link);
});
