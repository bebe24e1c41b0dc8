import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed, spelled, told } from "tidelog/fields";
import { silence } from "tidelog/format";

test("tags are read with commas between them, each once", () => {
  assert.deepEqual(parsed("tags", " a, b,,a , c d "), ["a", "b", "c d"]);
  assert.equal(spelled(["a", "c d"]), "a, c d");
});

test("a name cannot be empty", () => {
  assert.equal(parsed("name", "  "), null);
  assert.equal(parsed("name", " tide "), "tide");
});

test("notes keep their lines and lose only the end", () => {
  assert.equal(parsed("notes", "\n a\n\n b \n\n"), "\n a\n\n b");
});

test("what was done is told", () => {
  assert.equal(told("name", "tide"), "Renamed to tide.");
  assert.equal(told("tags", []), "Removed all tags.");
});

test("silence is told in minutes, then hours", () => {
  const heard = "2026-01-01T00:00:00Z";
  const then = Date.parse(heard) / 1000;
  assert.equal(silence(heard, then + 190), "3 min");
  assert.equal(silence(heard, then + 3 * 3600), "3 h");
});
