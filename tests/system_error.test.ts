import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSystemError } from "../src/system_error.ts";

test("describeSystemError() gives the meaning and the code, and never a message", () => {
  assert.equal(describeSystemError({ code: "ENOSPC" }), "the disk is full (ENOSPC)");
  assert.equal(describeSystemError({ code: "EODD" }), "EODD");
  assert.equal(describeSystemError(new TypeError("with a /secret/path")), "TypeError");
  assert.equal(describeSystemError("text"), "unknown error");
});
