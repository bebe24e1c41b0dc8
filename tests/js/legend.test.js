import assert from "node:assert/strict";
import { test } from "node:test";
import { leavers, yRange } from "tidelog/chart/model";
import { byColumn, csv, summary } from "tidelog/legend";

/** @param {string} run @param {number[]} values @returns {any} */
function line(run, values) {
  const y = Float64Array.from(values);
  const x = Float64Array.from(values, (_, i) => i);
  return { run, name: run, x, y, smoothed: y, curve: { lo: y, hi: y } };
}

test("a line is summed up by its last, least and greatest value", () => {
  const { last, min, max } = summary(line("a", [3, Number.NaN, 1, 2]));
  assert.deepEqual([last, min, max], [2, 1, 3]);
});

test("rows are ordered by a column, and what is no number comes last", () => {
  const rows = [line("a", [1]), line("b", [Number.NaN]), line("c", [5])].map(summary);
  const names = (/** @type {boolean} */ down) => byColumn(rows, "last", down).map((r) => r.run);
  assert.deepEqual(names(true), ["c", "a", "b"]);
  assert.deepEqual(names(false), ["a", "c", "b"]);
});

test("what is drawn becomes comma separated values", () => {
  assert.equal(csv([line('a,"b"', [1])], "step"), 'run,step,value,smoothed\n"a,""b""",0,1,1\n');
});

test("outliers leave the frame, and it is known where", () => {
  const calm = line("a", [...Array(199).fill(0.5), 1000]);
  /** @type {any} */
  const style = { kind: "step", log: false, method: "none", amount: 0 };
  assert.ok(yRange([calm], [0, 199], style)[1] >= 1000);
  const [low, high] = yRange([calm], [0, 199], { ...style, outliers: true });
  assert.ok(high < 10);
  const left = leavers([calm], [0, 199], [low, high]);
  assert.deepEqual(
    left.map(({ x, up }) => [x, up]),
    [[199, true]],
  );
});
