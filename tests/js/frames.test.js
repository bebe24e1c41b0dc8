import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chart, livePoints, open, split } from "tidelog/data/frames";

/** @param {unknown} header @param {(Float64Array | Float32Array)[]} columns */
function container(header, columns) {
  let text = JSON.stringify(header);
  while ((4 + text.length) % 8) text += " ";
  /** @type {Uint8Array[]} */
  const parts = [Buffer.alloc(4), Buffer.from(text)];
  new DataView(parts[0].buffer, parts[0].byteOffset).setUint32(0, text.length, true);
  for (const column of columns) {
    const bytes = Buffer.from(/** @type {ArrayBuffer} */ (column.buffer));
    parts.push(bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** @param {Uint8Array} bytes */
const buffer = (bytes) => /** @type {ArrayBuffer} */ (bytes.slice().buffer);

describe("a socket message", () => {
  const one = container({ kind: "gone", run: "a", rev: 3 }, []);
  const message = new Uint8Array(2 * (4 + one.length));
  for (const at of [0, 4 + one.length]) {
    new DataView(message.buffer).setUint32(at, one.length, true);
    message.set(one, at + 4);
  }

  it("is one frame or several", () => {
    const frames = split(message.buffer);
    assert.equal(frames.length, 2);
    assert.deepEqual(open(frames[1]).header, { kind: "gone", run: "a", rev: 3 });
  });
  it("is refused when it is cut off", () => {
    assert.throws(() => split(message.buffer.slice(0, 20)), RangeError);
    assert.throws(() => open(one.subarray(0, 9)), RangeError);
  });
});

describe("live points", () => {
  it("share the axis of the record they came in", () => {
    const header = {
      kind: "points",
      run: "r",
      axes: [2],
      series: [
        { key: "a", axis: 0, n: 2, total: 10 },
        { key: "b", axis: 0, n: 2, total: 4 },
      ],
    };
    const columns = [
      [1, 2],
      [100, 101],
      [0.5, Number.NaN],
      [7, 8],
    ].map((c) => Float64Array.from(c));
    const frame = open(container(header, columns));
    const [a, b] = livePoints(frame.header, frame.columns);
    assert.deepEqual([...a.steps], [1, 2]);
    assert.deepEqual([...b.times], [100, 101]);
    assert.ok(Number.isNaN(a.values[1]));
    assert.deepEqual([b.total, ...b.values], [4, 7, 8]);
  });
});

describe("a chart", () => {
  const about = { total: 2, range: 2, origin: 50 };

  it("gives each run the raw places it has, NaN where one was logged", () => {
    const header = {
      ...{ v: 1, key: "k", x: "step", mode: "raw", n: 3 },
      runs: [
        { id: "a", ...about, cols: ["value"], nan: [1] },
        { id: "b", ...about, cols: ["value"], nan: [] },
      ],
    };
    const nan = Number.NaN;
    const body = container(header, [
      Float64Array.of(0, 1, 2),
      Float32Array.of(5, nan, nan),
      Float32Array.of(nan, 6, 7),
    ]);
    const { runs } = chart(buffer(body));
    assert.deepEqual([...runs[0].x], [0, 1]);
    assert.ok(Number.isNaN(runs[0].y[1]));
    assert.deepEqual([...runs[1].x], [1, 2]);
    assert.deepEqual([...runs[1].y], [6, 7]);
  });

  it("puts buckets at their centres and leaves empty ones out", () => {
    const header = {
      ...{ v: 1, key: "k", x: "step", mode: "buckets", n: 3, x0: 10, dx: 2 },
      runs: [{ id: "a", ...about, cols: ["mean", "min", "max", "last"], nan: [] }],
    };
    const columns = [
      [1, 0.5, 1.5],
      [0, 0, 0],
      [2, 1, 3],
      [1, 1, 1],
    ].map((c) => Float32Array.from(c));
    columns[0][1] = Number.NaN;
    const [run] = chart(buffer(container(header, columns))).runs;
    assert.deepEqual([...run.x], [11, 15]);
    assert.deepEqual([...run.hi], [2, 3]);
  });
});
