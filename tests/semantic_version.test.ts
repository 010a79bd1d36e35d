import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, isSemanticVersion } from "../src/semantic_version.ts";

test("versions come in the order of Semantic Versioning 2.0.0, whatever they are compared with", () => {
  // The rows of its item 11, and what goes wrong when numbers are compared as words.
  const ordered = [
    "nonsense",
    "0.9.9",
    "1.0.0-1",
    "1.0.0-9",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.9",
    "1.0.10",
    "1.9.0",
    "1.10.0",
    "9.0.0",
    "10.0.0",
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`);
    }
  }
  assert.equal(compareVersions("1.0.0+a", "1.0.0+b"), 0);
});

test("what is no version is told", () => {
  for (const text of ["1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3+x.y"]) {
    assert.ok(isSemanticVersion(text));
  }
  for (
    const text of [
      "",
      "1",
      "1.2",
      "v1.2.3",
      "1.2.3 ",
      "1.2.3\n",
      "1.2.3-",
      "1.2.3-\u001b[2J",
      "1.2.x",
      "1".repeat(10) + ".0.0",
      `1.0.0-${"a".repeat(41)}`,
    ]
  ) assert.ok(!isSemanticVersion(text), JSON.stringify(text));
});
