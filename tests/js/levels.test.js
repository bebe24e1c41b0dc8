import assert from "node:assert/strict";
import { test } from "node:test";
import { stopwatch } from "tidelog/format";
import { serious } from "tidelog/levels";

test("an error is told by its words", () => {
  assert.ok(serious("error", "RuntimeError: out of memory", 1));
  assert.ok(serious("error", "Traceback (most recent call last):", 2));
  assert.ok(serious("error", "job failed", 1));
  assert.ok(!serious("error", "terror and errorless", 1));
});

test("a warning is a word, or anything on stderr", () => {
  assert.ok(serious("warning", "UserWarning: slow", 1));
  assert.ok(serious("warning", '  File "train.py", line 3', 2));
  assert.ok(!serious("warning", "epoch 3", 1));
  assert.ok(serious("all", "epoch 3", 1));
});

test("a stopwatch counts from the start", () => {
  assert.equal(stopwatch(252.9), "0:04:12");
  assert.equal(stopwatch(-1), "0:00:00");
});
