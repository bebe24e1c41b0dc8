import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ago, duration, ends, number, position, ticks, unit } from "tidelog/format";

describe("number", () => {
  for (const [value, text] of /** @type {[number | undefined, string][]} */ ([
    [0.8346, "0.8346"],
    [0.5, "0.5000"],
    [1.21, "1.210"],
    [46210, "46,210"],
    [2224.4, "2,224"],
    [0.0016, "1.6e-3"],
    [0.001, "1e-3"],
    [0, "0"],
    [-0.25, "-0.2500"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [undefined, "–"],
  ])) {
    it(`writes ${value} as ${text}`, () => assert.equal(number(value), text));
  }
});

describe("ticks", () => {
  it("tells neighbours apart", () => {
    assert.deepEqual(ticks([0, 20000, 40000]), ["0", "20k", "40k"]);
    assert.deepEqual(ticks([0.55, 0.6, 0.65]), ["0.55", "0.6", "0.65"]);
    assert.deepEqual(ticks([0, 0.0005, 0.001]), ["0", "5e-4", "1e-3"]);
    assert.deepEqual(ticks([99.5, 99.55, 99.6]), ["99.5", "99.55", "99.6"]);
  });
});

describe("durations and times", () => {
  it("uses the two largest units", () => {
    assert.equal(duration(15120), "4 h 12 m");
    assert.equal(duration(15120, true), "4h 12m");
    assert.equal(duration(2292), "38 m 12 s");
    assert.equal(duration(90000), "1 d 1 h");
  });
  it("says how long ago until a week, then the date", () => {
    assert.equal(ago(0, 12), "12 s ago");
    assert.equal(ago(0, 7200), "2 h ago");
    assert.match(ago(0, 8 * 86400), /1970/);
  });
  it("spells places on the x axis", () => {
    assert.equal(position("step", 46000), "46,000");
    assert.equal(position("step", 0.25), "0.25");
    assert.equal(position("relative", 75), "1 m 15 s");
  });
});

describe("titles", () => {
  it("keeps both ends of a long one", () => {
    assert.deepEqual(ends("train/layers.11.attention.qkv/grad_norm"), [
      "train/layers.11.attention.q",
      "kv/grad_norm",
    ]);
    assert.deepEqual(ends("val/loss"), ["val/loss", ""]);
  });
  it("finds the unit that a key names", () => {
    assert.equal(unit("system/gpu.0.memory_gb"), "GB");
    assert.equal(unit("train/images_per_sec"), "");
    assert.equal(unit("val/loss"), "");
  });
});
