import assert from "node:assert/strict";
import { test } from "node:test";
import { groups, matching, question, visited } from "tidelog/commands";

/** @param {string} kind @param {string} text */
const entry = (kind, text) => ({ kind, text, url: text });

test("a > limits to commands", () => {
  assert.deepEqual(question(" > dark "), { text: "dark", only: true });
  assert.deepEqual(question("dark > light"), { text: "dark > light", only: false });
});

test("every word must occur, and what begins with the first comes first", () => {
  const all = [entry("run", "the tide"), entry("run", "tide-swift"), entry("run", "reef")];
  assert.deepEqual(
    matching(all, "tide").map(({ text }) => text),
    ["tide-swift", "the tide"],
  );
  assert.equal(matching(all, "tide reef").length, 0);
  assert.equal(matching(all, "").length, 3);
});

test("entries come in groups of a fixed order", () => {
  const found = groups([entry("command", "c"), entry("run", "r"), entry("run", "s")]);
  assert.deepEqual(
    found.map(([kind, list]) => [kind, list.length]),
    [
      ["run", 2],
      ["command", 1],
    ],
  );
});

test("what was visited last is on top, once, and six are kept", () => {
  let recent = /** @type {import("tidelog/commands").Entry[]} */ ([]);
  for (const name of ["a", "b", "c", "d", "e", "f", "g", "b"]) {
    recent = visited(recent, entry("run", name));
  }
  assert.deepEqual(
    recent.map(({ text }) => text),
    ["b", "g", "f", "e", "d", "c"],
  );
});
