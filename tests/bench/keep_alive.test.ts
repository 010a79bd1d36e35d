import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfAnswer } from "../../tools/bench/keep_alive.ts";

test("an answer ends where its length says", () => {
  const answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found";
  assert.equal(endOfAnswer(answer), answer.length);
  assert.equal(endOfAnswer(`${answer}HTTP/1.1 404`), answer.length);
  assert.equal(endOfAnswer(answer.slice(0, -1)), 0);
  assert.equal(endOfAnswer("HTTP/1.1 404 Not Found\r\nContent-"), 0);
});

test("one without a length ends with its head", () => {
  const answer = "HTTP/1.1 404 Not Found\r\n\r\n";
  assert.equal(endOfAnswer(answer), answer.length);
});
