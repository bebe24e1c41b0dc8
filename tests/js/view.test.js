import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sentence, span, tooltip, yRange } from "tidelog/chart/model";
import { bounds, logLabels, logSplits, padded } from "tidelog/chart/scale";
import { slice, sorted } from "tidelog/order";
import { look } from "tidelog/palette";
import { read, usual, write } from "tidelog/query";
import { sections } from "tidelog/sections";

describe("the address", () => {
  it("is clean while everything is as usual", () => assert.equal(write(usual()), ""));
  it("brings back what was on screen", () => {
    const view = { ...usual(), q: "tag:a b", x: /** @type {const} */ ("wall"), log: true, sm: 0.9 };
    const full = {
      ...view,
      show: ["a", "b"],
      xr: /** @type {[number, number]} */ ([1, 2.5]),
      shut: [],
    };
    assert.deepEqual(read(write(full)), full);
  });
  it("keeps an empty choice apart from none", () => {
    assert.deepEqual(read(write({ ...usual(), show: [] })).show, []);
    assert.equal(read("").show, null);
  });
  it("ignores nonsense", () => {
    const view = read("?x=sideways&xr=5,1&sm=7&smk=magic&unknown=1");
    assert.deepEqual([view.x, view.xr, view.sm, view.smk], ["step", null, 0.99, "gaussian"]);
  });
});

describe("sections", () => {
  it("put the main metric first and system last", () => {
    const keys = ["system/cpu", "train/lr", "train/loss", "val/loss", "val/acc", "epoch"];
    assert.deepEqual(sections(keys, "val/acc"), [
      ["val", ["val/acc", "val/loss"]],
      ["metrics", ["epoch"]],
      ["train", ["train/loss", "train/lr"]],
      ["system", ["system/cpu"]],
    ]);
  });
});

describe("the run list", () => {
  const row = (/** @type {number} */ number, /** @type {number | undefined} */ value) => ({
    ...{ number, value, name: `run-${number}`, state: "finished", runtime: number },
  });
  it("sorts either way, rows without a value last, ties newest first", () => {
    const rows = [row(1, 0.5), row(2, undefined), row(3, 0.9), row(4, 0.5)];
    assert.deepEqual(
      sorted(rows, "-value").map(({ number }) => number),
      [3, 4, 1, 2],
    );
    assert.deepEqual(
      sorted(rows, "value").map(({ number }) => number),
      [4, 1, 3, 2],
    );
  });
  it("makes rows for what is in view, and a few around", () => {
    assert.deepEqual(slice(0, 280, 28, 10_000), [0, 16]);
    assert.deepEqual(slice(28_000, 280, 28, 10_000), [994, 1016]);
    assert.deepEqual(slice(0, 280, 28, 3), [0, 3]);
  });
});

describe("the palette", () => {
  it("gives twelve hues, then the same with another dash", () => {
    assert.deepEqual(look(0), { hue: 1, marker: 0, dash: 0 });
    assert.deepEqual(look(7), { hue: 8, marker: 1, dash: 1 });
    assert.deepEqual(look(12), { hue: 1, marker: 0, dash: 1 });
  });
});

describe("ranges", () => {
  const curve = /** @type {any} */ ({
    length: 3,
    x: Float64Array.of(1, 2, 3),
    grid: { mode: "raw" },
  });
  it("span all lines, and never have no width", () => {
    assert.deepEqual(span([/** @type {any} */ ({ curve })]), [1, 3]);
    assert.deepEqual(span([]), [0, 1]);
  });
  it("leave out what a logarithm cannot show", () => {
    const lines = [{ x: Float64Array.of(0, 1, 2), y: Float64Array.of(-1, 0.1, 10) }];
    assert.deepEqual(bounds(lines, 0, 2, true), [0.1, 10]);
    assert.deepEqual(bounds(lines, 1.5, 2, false), [10, 10]);
  });
  it("give a flat line air and do not cross zero for nothing", () => {
    assert.deepEqual(padded([0, 100], false), [0, 105]);
    const [low, high] = padded([5, 5], false);
    assert.ok(low < 5 && high > 5);
  });
  it("put the ticks of a logarithm where they help", () => {
    assert.deepEqual(logSplits(0.5, 2000), [1, 10, 100, 1000]);
    assert.deepEqual(logSplits(0.9, 12), [1, 2, 5, 10]);
    assert.deepEqual(logSplits(1.07, 2.2), [1.5, 2]);
    assert.deepEqual(logLabels([1, 10, 100_000]), ["1", "10", "1e5"]);
    assert.deepEqual(logLabels([1.25, 1.5]), ["1.25", "1.5"]);
  });
});

describe("a chart in words", () => {
  const line = (/** @type {string} */ name, /** @type {number[]} */ y) => ({
    ...{ run: name, name, state: "finished", look: look(0), curve: /** @type {any} */ ({}) },
    ...{
      x: Float64Array.from(y, (_, i) => i),
      y: Float64Array.from(y),
      smoothed: Float64Array.from(y),
    },
  });
  const style = {
    kind: /** @type {const} */ ("step"),
    log: false,
    method: /** @type {const} */ ("none"),
    amount: 0,
  };

  it("names the highest run and its trend", () => {
    const lines = [line("a", [0.1, 0.5]), line("b", [0.2, 0.8])];
    const said = sentence("val/acc", "step", lines, String);
    assert.equal(said, "val/acc by step, 2 runs, highest b 0.8, rising");
    const [low, high] = yRange(lines, [0, 1], style);
    assert.ok(low <= 0.1 && high >= 0.8);
  });
  it("tells the six nearest, by value, and how many more", () => {
    const all = Array.from({ length: 8 }, (_, i) => ({
      ...{ line: line(`r${i}`, [i]), x: 0, value: i, raw: i },
    }));
    const { rows, more, near } = tooltip(all, 2.2);
    assert.deepEqual(
      rows.map(({ value }) => value),
      [5, 4, 3, 2, 1, 0],
    );
    assert.equal(more, 2);
    assert.equal(near?.value, 2);
  });
});
