import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exponential, gaussian, runningMean, smooth } from "tidelog/chart/smooth";

const x = Float64Array.from({ length: 100 }, (_, i) => i);
const flat = new Float64Array(100).fill(3);
const close = (/** @type {number} */ a, /** @type {number} */ b) =>
  assert.ok(Math.abs(a - b) < 1e-9, `${a} ${b}`);

describe("every method", () => {
  for (const method of /** @type {const} */ (["gaussian", "exponential", "mean"])) {
    it(`${method} leaves a flat line alone, from its first point`, () => {
      for (const value of smooth(method, x, flat, 0.9, 100)) close(value, 3);
    });
    it(`${method} keeps NaN where it was and does not spread it`, () => {
      const y = flat.slice();
      y[40] = Number.NaN;
      const out = smooth(method, x, y, 0.9, 100);
      assert.ok(Number.isNaN(out[40]));
      assert.equal(out.filter(Number.isNaN).length, 1);
    });
  }
  it("does nothing at 0 or with none", () => {
    assert.equal(smooth("gaussian", x, flat, 0, 100), flat);
    assert.equal(smooth("none", x, flat, 0.9, 100), flat);
  });
});

describe("exponential", () => {
  it("corrects the bias of its start", () => {
    const out = exponential(Float64Array.of(10, 20), 0.5);
    close(out[0], 10);
    close(out[1], (0.5 * 10 + 20) / 1.5);
  });
});

describe("windows", () => {
  it("mean of what lies within reach, by x and not by index", () => {
    const out = runningMean(Float64Array.of(0, 1, 10), Float64Array.of(0, 2, 50), 1.5);
    assert.deepEqual([...out], [1, 1, 50]);
  });
  it("a bell is symmetric", () => {
    const peak = new Float64Array(21);
    peak[10] = 1;
    const out = gaussian(x.subarray(0, 21), peak, 2);
    for (let i = 1; i <= 5; i++) close(out[10 - i], out[10 + i]);
    assert.ok(out[10] > out[9] && out[9] > out[8]);
  });
});
