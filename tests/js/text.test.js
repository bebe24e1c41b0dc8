import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collapse, plain, spans } from "tidelog/ansi";
import { filter, haystack } from "tidelog/filter";
import { lineAt, offsets } from "tidelog/wrap";

const ESC = "\u001b";

describe("terminal output", () => {
  it("shows a rewritten line as its last state", () => {
    assert.equal(collapse("10%\r50%\r100%"), "100%");
    assert.equal(collapse("done\r\n".trimEnd()), "done");
  });
  it("maps colours to names and drops what is not for people", () => {
    assert.deepEqual(spans(`${ESC}[1;31merror${ESC}[0m: no${ESC}[2K`), [
      { text: "error", classes: ["ansi-bold", "ansi-red"] },
      { text: ": no", classes: [] },
    ]);
  });
  it("lets a colour replace a colour, and 256 colours pass", () => {
    const [a, b, c] = spans(`${ESC}[32ma${ESC}[94mb${ESC}[38;5;200;1mc`);
    assert.deepEqual([a.classes, b.classes], [["ansi-green"], ["ansi-blue"]]);
    assert.deepEqual(c.classes, ["ansi-blue", "ansi-bold"]);
  });
  it("leaves markup as text", () => {
    assert.equal(plain("<script>alert(1)</script>"), "<script>alert(1)</script>");
  });
});

describe("filters", () => {
  it("plain words match in any order and case", () => {
    const { test } = filter("Loss val", false);
    assert.ok(test("val/loss") && !test("train/loss"));
  });
  it("an expression may be wrong, and says how", () => {
    assert.ok(filter("train|val", true).test("val/loss"));
    assert.match(filter("(", true).fault, /Not a regular expression/);
  });
  it("looks through what a run is known by", () => {
    const run = { id: "x1", name: "tide", state: "failed", tags: ["base"], author: "Mira" };
    for (const word of ["x1", "tide", "failed", "base", "mira"]) {
      assert.ok(filter(word, false).test(haystack(run)), word);
    }
  });
});

describe("wrapped lines", () => {
  it("begin where the lines before them end", () => {
    const lengths = [5, 25, 0, 10];
    const at = offsets(4, (i) => lengths[i], 10);
    assert.deepEqual([...at], [0, 1, 4, 5, 6]);
    assert.deepEqual(
      [0, 1, 3, 4, 99].map((row) => lineAt(at, row)),
      [0, 1, 1, 2, 3],
    );
  });
});
