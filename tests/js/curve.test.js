import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Curve, nearest, skip } from "tidelog/data/curve";

/** @param {"raw" | "buckets"} mode @param {number[]} x @param {number[]} y */
function curve(mode, x, y) {
  const column = (/** @type {number[]} */ from) => Float64Array.from(from);
  const run = {
    id: "r",
    total: x.length,
    range: x.length,
    origin: 0,
    x: column(x),
    y: column(y),
    lo: column(y),
    hi: column(y),
  };
  return new Curve(run, { mode, x0: 0, dx: mode === "buckets" ? 10 : 0 });
}

describe("a raw curve", () => {
  it("appends, and puts a step that went backwards in its place", () => {
    const c = curve("raw", [0, 5], [1, 2]);
    for (const [x, y] of [
      [7, 3],
      [6, 4],
      [7, 5],
    ])
      c.add(x, y);
    assert.deepEqual([...c.x], [0, 5, 6, 7, 7]);
    assert.deepEqual([...c.y], [1, 2, 4, 3, 5]);
  });
  it("does not change what it was given", () => {
    const c = curve("raw", [0], [1]);
    const before = c.y;
    for (let i = 1; i < 500; i++) c.add(i, i);
    assert.deepEqual([...before], [1]);
    assert.equal(c.length, 500);
    assert.equal(c.x[499], 499);
  });
  it("says that it changed", () => {
    const c = curve("raw", [], []);
    c.add(1, 1);
    assert.equal(c.version, 1);
  });
});

describe("a bucketed curve", () => {
  it("folds points into their bucket, keeping the peak", () => {
    const c = curve("buckets", [5, 15], [1, 2]);
    c.add(16, 4);
    c.add(19, -9);
    assert.equal(c.length, 2);
    assert.deepEqual([c.lo[1], c.hi[1]], [-9, 4]);
    assert.ok(Math.abs(c.y[1] - (2 + 4 - 9) / 3) < 1e-12);
  });
  it("opens the next bucket on the same grid", () => {
    const c = curve("buckets", [5], [1]);
    c.add(23, 7);
    assert.deepEqual([...c.x], [5, 25]);
  });
  it("settles a late point in its old bucket", () => {
    const c = curve("buckets", [5, 15, 25], [1, 2, 3]);
    c.add(14, 10);
    assert.equal(c.length, 3);
    assert.equal(c.hi[1], 10);
  });
  it("stays small however long it is watched", () => {
    const c = curve("buckets", [5], [1]);
    for (let i = 0; i < 10_000; i++) c.add(10 + i / 100, i);
    assert.ok(c.length <= 12);
  });
});

describe("what is new", () => {
  it("is told by the count of points", () => {
    assert.equal(skip(10, 3, 13), 0);
    assert.equal(skip(11, 3, 13), 1);
    assert.equal(skip(20, 3, 13), 3);
    assert.equal(skip(9, 3, 13), -1);
  });
});

describe("nearest", () => {
  it("finds the closest place", () => {
    const x = Float64Array.of(0, 10, 20);
    assert.deepEqual(
      [-5, 4, 6, 100].map((at) => nearest(x, at)),
      [0, 0, 1, 2],
    );
    assert.equal(nearest(new Float64Array(), 1), -1);
  });
});
