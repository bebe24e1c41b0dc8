/**
 * The binary container that the server speaks: `u32 header length | JSON header | columns`,
 * the header padded so that the columns start on a multiple of eight bytes.
 */

const utf8 = new TextDecoder();

/**
 * @param {Uint8Array} bytes
 * @returns {{ header: any, columns: Uint8Array }}
 */
export function open(bytes) {
  if (bytes.byteLength < 4) throw new RangeError("a frame is at least four bytes long");
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  if (4 + length > bytes.byteLength) throw new RangeError("the frame's header is cut off");
  const header = JSON.parse(utf8.decode(bytes.subarray(4, 4 + length)));
  return { header, columns: bytes.subarray(4 + length) };
}

/**
 * A socket message is one frame or several, each behind its length.
 * @param {ArrayBuffer} message
 * @returns {Uint8Array[]}
 */
export function split(message) {
  const view = new DataView(message);
  const frames = [];
  for (let at = 0; at + 4 <= message.byteLength; ) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > message.byteLength) throw new RangeError("the message is cut off");
    frames.push(new Uint8Array(message, at + 4, length));
    at += 4 + length;
  }
  return frames;
}

/**
 * What a run logged since the last frame, one entry a series.
 * @typedef {object} LivePoints
 * @property {string} run
 * @property {string} key
 * @property {number} total how many points the series has after these
 * @property {Float64Array} steps
 * @property {Float64Array} times seconds since the epoch
 * @property {Float64Array} values
 */

/**
 * @param {any} header of a "points" frame
 * @param {Uint8Array} columns
 * @returns {LivePoints[]}
 */
export function livePoints(header, columns) {
  let at = 0;
  /** @param {number} n */
  const take = (n) => {
    const out = floats64(columns, at, n);
    at += n * 8;
    return out;
  };
  const axes = header.axes.map((/** @type {number} */ n) => ({ steps: take(n), times: take(n) }));
  return header.series.map((/** @type {any} */ series) => ({
    run: header.run,
    key: series.key,
    total: series.total,
    steps: axes[series.axis].steps,
    times: axes[series.axis].times,
    values: take(series.n),
  }));
}

/**
 * One run's part of a chart answer. `lo` and `hi` equal `y` where single points are given.
 * @typedef {object} ChartRun
 * @property {string} id
 * @property {number} total points stored in the series when this was read
 * @property {number} range how many of them lie in the range asked for
 * @property {number} origin what relative time counts from, seconds since the epoch
 * @property {Float64Array} x
 * @property {Float64Array} y
 * @property {Float64Array} lo
 * @property {Float64Array} hi
 *
 * @typedef {object} Chart
 * @property {string} key
 * @property {"step" | "relative" | "wall"} x
 * @property {"raw" | "buckets"} mode
 * @property {number} x0
 * @property {number} dx
 * @property {ChartRun[]} runs
 */

/**
 * @param {ArrayBuffer} body
 * @returns {Chart}
 */
export function chart(body) {
  const { header, columns } = open(new Uint8Array(body));
  const raw = header.mode === "raw";
  const n = header.n;
  const shared = raw ? floats64(columns, 0, n) : centres(header.x0, header.dx, n);
  let at = raw ? n * 8 : 0;
  const runs = header.runs.map((/** @type {any} */ run) => {
    const own = run.cols.map(() => {
      const column = floats32(columns, at, n);
      at += Math.ceil((n * 4) / 8) * 8;
      return column;
    });
    return { ...pick(run, shared, own), ...about(run) };
  });
  const { key, x, mode, x0 = 0, dx = 0 } = header;
  return { key, x, mode, x0, dx, runs };
}

/** @param {any} run */
function about(run) {
  return { id: run.id, total: run.total, range: run.range, origin: run.origin };
}

/**
 * Keep the places of the shared x axis where this run has something.
 * @param {any} run
 * @param {Float64Array} shared
 * @param {Float32Array[]} own value, or mean, min, max, last
 */
function pick(run, shared, own) {
  const nan = new Set(run.nan ?? []);
  /** @type {number[]} */
  const places = [];
  for (let i = 0; i < shared.length; i++) {
    if (!Number.isNaN(own[0][i]) || nan.has(i)) places.push(i);
  }
  /** @param {Float32Array | Float64Array} column */
  const take = (column) => Float64Array.from(places, (i) => column[i]);
  const y = take(own[0]);
  const wide = own.length > 1;
  return { x: take(shared), y, lo: wide ? take(own[1]) : y, hi: wide ? take(own[2]) : y };
}

/** @param {number} x0 @param {number} dx @param {number} n */
function centres(x0, dx, n) {
  return Float64Array.from({ length: n }, (_, i) => x0 + (i + 0.5) * dx);
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n */
function floats64(bytes, at, n) {
  return new Float64Array(bytes.slice(at, at + n * 8).buffer);
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n */
function floats32(bytes, at, n) {
  return new Float32Array(bytes.slice(at, at + n * 4).buffer);
}
