/**
 * One run's line in one chart: what the server gave, with what arrived since folded in.
 *
 * `x` never decreases. In a bucketed curve each place is a bucket of width `dx`; a live point
 * joins its bucket (the envelope `lo` to `hi` stays exact, `y` the running mean), so a curve
 * that is watched for hours does not grow past the grid it was drawn on.
 */
export class Curve {
  /** Grows by one with every change, so that whoever derives from a curve can tell. */
  version = 0;
  /** How many points of the series are known here: what tells new from known and shows holes. */
  total;
  length = 0;

  #x;
  #y;
  #lo;
  #hi;
  /** How many points each bucket holds, where that is known. */
  #counts;

  /**
   * @param {import("tidelog/data/frames").ChartRun} run
   * @param {{ mode: "raw" | "buckets", x0: number, dx: number }} grid
   */
  constructor(run, grid) {
    this.run = run.id;
    this.origin = run.origin;
    this.total = run.total;
    this.grid = grid;
    this.length = run.x.length;
    this.#x = run.x;
    this.#y = run.y;
    this.#lo = run.lo;
    this.#hi = run.hi;
    const each = grid.mode === "buckets" ? Math.max(1, run.range / Math.max(1, run.x.length)) : 1;
    this.#counts = new Float64Array(run.x.length).fill(each);
  }

  get x() {
    return this.#x.subarray(0, this.length);
  }
  get y() {
    return this.#y.subarray(0, this.length);
  }
  get lo() {
    return this.#lo.subarray(0, this.length);
  }
  get hi() {
    return this.#hi.subarray(0, this.length);
  }

  /** @param {number} x @param {number} y */
  add(x, y) {
    this.version++;
    const last = this.length - 1;
    const place = this.#place(x);
    if (this.grid.mode === "buckets" && last >= 0 && this.#same(this.#x[last], place)) {
      this.#join(last, y);
    } else if (last < 0 || place >= this.#x[last]) {
      this.#insert(this.length, place, y);
    } else {
      this.#settle(place, y);
    }
  }

  /** A point behind the end: into its bucket, or between its neighbours. */
  /** @param {number} place @param {number} y */
  #settle(place, y) {
    const at = after(this.x, place);
    if (this.grid.mode === "buckets" && at > 0 && this.#same(this.#x[at - 1], place)) {
      this.#join(at - 1, y);
    } else {
      this.#insert(at, place, y);
    }
  }

  /** @param {number} x */
  #place(x) {
    const { mode, x0, dx } = this.grid;
    return mode === "buckets" && dx > 0 ? x0 + (Math.floor((x - x0) / dx) + 0.5) * dx : x;
  }

  /** @param {number} a @param {number} b */
  #same(a, b) {
    return Math.abs(a - b) < this.grid.dx / 2;
  }

  /** @param {number} at @param {number} y */
  #join(at, y) {
    const count = this.#counts[at];
    this.#counts[at] = count + 1;
    this.#y[at] = Number.isNaN(this.#y[at]) ? y : (this.#y[at] * count + y) / (count + 1);
    this.#lo[at] = Math.min(nanless(this.#lo[at], y), nanless(y, this.#lo[at]));
    this.#hi[at] = Math.max(nanless(this.#hi[at], y), nanless(y, this.#hi[at]));
  }

  /** @param {number} at @param {number} x @param {number} y */
  #insert(at, x, y) {
    this.#own();
    for (const [column, value] of /** @type {[Float64Array, number][]} */ ([
      [this.#x, x],
      [this.#y, y],
      [this.#lo, y],
      [this.#hi, y],
      [this.#counts, 1],
    ])) {
      column.copyWithin(at + 1, at, this.length);
      column[at] = value;
    }
    this.length++;
  }

  /** Make room for one more, doubling, and stop sharing one array between y, lo and hi. */
  #own() {
    if (this.length < this.#x.length && this.#lo !== this.#y) return;
    const room = Math.max(64, this.length * 2);
    this.#x = grown(this.#x, room);
    const y = grown(this.#y, room);
    this.#lo = grown(this.#lo, room);
    this.#hi = grown(this.#hi, room);
    this.#y = y;
    this.#counts = grown(this.#counts, room);
  }
}

/** @param {Float64Array} column @param {number} room */
function grown(column, room) {
  const out = new Float64Array(room);
  out.set(column.subarray(0, room));
  return out;
}

/** @param {number} value @param {number} other */
const nanless = (value, other) => (Number.isNaN(value) ? other : value);

/**
 * The first place whose x is greater than `value`.
 * @param {Float64Array} x sorted
 * @param {number} value
 */
export function after(x, value) {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The place nearest to `value`, or -1 when there is none.
 * @param {Float64Array} x sorted
 * @param {number} value
 */
export function nearest(x, value) {
  const at = after(x, value);
  if (at === 0) return x.length ? 0 : -1;
  if (at === x.length) return at - 1;
  return value - x[at - 1] <= x[at] - value ? at - 1 : at;
}

/**
 * Which of `n` arriving points are new, given what is known: points `total - n` to `total`.
 * @param {number} known
 * @param {number} n
 * @param {number} total
 * @returns {number} how many to skip; -1 when points are missing in between
 */
export function skip(known, n, total) {
  const first = total - n;
  if (known < first) return -1;
  return Math.min(n, known - first);
}
