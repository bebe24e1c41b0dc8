import { ticks } from "tidelog/format";

/** Ranges and tick labels of a line chart's axes. Pure. */

/** Steps between ticks of a duration axis, in seconds. */
const DURATIONS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400, 172800, 432000, 864000,
];

/**
 * The least range that holds all of `columns` between the x of `from` and `to`.
 * @param {{ x: Float64Array, y: Float64Array }[]} lines
 * @param {number} from
 * @param {number} to
 * @param {boolean} positive leave out what a logarithm cannot show
 * @returns {[number, number] | null}
 */
export function bounds(lines, from, to, positive) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { x, y } of lines) {
    for (let i = 0; i < x.length; i++) {
      const value = y[i];
      if (x[i] < from || x[i] > to || !Number.isFinite(value) || (positive && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/**
 * A range with air around it; a flat line gets a range of its own size.
 * @param {[number, number] | null} range
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function padded(range, log) {
  if (!range) return log ? [1, 10] : [0, 1];
  const [low, high] = range;
  if (log) {
    const air = Math.max(1.05, (high / low) ** 0.04);
    return [low / air, high * air];
  }
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const air = span * 0.05;
  return [low >= 0 && low - air < 0 ? Math.min(0, low) : low - air, high + air];
}

/**
 * The middle part of values, so that a few peaks of the raw line do not flatten the rest.
 * @param {Float64Array} values
 * @param {number} [share] how much is left out at each end; of few values at least one
 * @returns {Float64Array}
 */
export function core(values, share) {
  const sorted = values.filter(Number.isFinite).sort();
  const cut = share
    ? Math.min(Math.ceil(sorted.length * share), Math.floor((sorted.length - 1) / 2))
    : Math.floor(sorted.length * 0.01);
  return sorted.subarray(cut, sorted.length - cut);
}

/** @param {"step" | "relative" | "wall"} kind */
export function increments(kind) {
  return kind === "relative" ? DURATIONS : undefined;
}

/**
 * @param {"step" | "relative" | "wall"} kind
 * @param {number[]} splits
 */
export function xLabels(kind, splits) {
  return kind === "relative" ? splits.map((at) => short(at, splits)) : ticks(splits);
}

/** @param {number} seconds @param {number[]} all */
function short(seconds, all) {
  if (seconds === 0) return "0";
  const largest = all.at(-1) ?? 0;
  if (largest >= 2 * 86400) return `${round(seconds / 86400)}d`;
  if (largest >= 2 * 3600) return `${round(seconds / 3600)}h`;
  return largest >= 120 ? `${round(seconds / 60)}m` : `${round(seconds)}s`;
}

/** @param {number} value */
const round = (value) => Number(value.toFixed(2));

/**
 * Where a logarithmic axis has its ticks: powers of ten, or with few of them 1, 2 and 5 of
 * each, or within less than a decade what a plain axis would have.
 * @param {number} low
 * @param {number} high
 */
export function logSplits(low, high) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return plainSplits(low, high);
  const gap = Math.max(1, Math.ceil(decades / 6));
  const steps = decades < 2 ? [1, 2, 5] : [1];
  const out = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += gap) {
    for (const step of steps) out.push(Number((step * 10 ** power).toPrecision(12)));
  }
  return out.filter((value) => value >= low && value <= high);
}

/** @param {number} low @param {number} high */
function plainSplits(low, high) {
  const rough = (high - low) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const gap = ([1, 2, 2.5, 5].find((step) => step * size >= rough) ?? 10) * size;
  const first = Math.ceil(low / gap);
  const count = Math.floor(high / gap) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * gap).toPrecision(12)));
}

/** @param {number[]} splits */
export function logLabels(splits) {
  const wide = splits.length > 1 && splits[splits.length - 1] / splits[0] >= 5;
  return wide ? splits.map(logLabel) : ticks(splits);
}

/** @param {number} value */
function logLabel(value) {
  if (value >= 1e-3 && value < 1e4) return String(Number(value.toPrecision(3)));
  return value.toExponential(0).replace("e+", "e");
}
