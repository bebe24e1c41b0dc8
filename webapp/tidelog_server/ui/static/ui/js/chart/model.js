import { bounds, core, padded } from "tidelog/chart/scale";
import { smooth } from "tidelog/chart/smooth";
import { nearest } from "tidelog/data/curve";

/**
 * What a line chart shows, as values: which lines, how smoothed, in which range. Pure.
 *
 * @typedef {object} Line
 * @property {string} run
 * @property {string} name
 * @property {string} state
 * @property {{ hue: number, marker: number, dash: number }} look
 * @property {import("tidelog/data/curve").Curve} curve
 *
 * @typedef {object} Style
 * @property {"step" | "relative" | "wall"} kind
 * @property {boolean} log
 * @property {boolean} [outliers] leave the outer 1 % of the smoothed lines out of the y range too
 * @property {import("tidelog/chart/smooth").Method} method
 * @property {number} amount
 *
 * @typedef {Line & { x: Float64Array, y: Float64Array, smoothed: Float64Array }} Drawn
 */

/** Smoothed curves, remembered until the curve or the smoothing changes. */
const remembered = new WeakMap();

/**
 * @param {Line[]} lines
 * @param {Style} style
 * @param {number} extent width of the whole chart in x
 * @returns {Drawn[]}
 */
export function drawn(lines, style, extent) {
  return lines
    .filter(({ curve }) => curve.length > 0)
    .map((line) => {
      const { x, y } = line.curve;
      return { ...line, x, y, smoothed: smoothedCurve(line.curve, style, extent) };
    });
}

/**
 * @param {import("tidelog/data/curve").Curve} curve
 * @param {Style} style
 * @param {number} extent
 * @returns {Float64Array}
 */
function smoothedCurve(curve, style, extent) {
  const tag = `${curve.version} ${style.method} ${style.amount} ${extent}`;
  const known = remembered.get(curve);
  if (known?.tag === tag) return known.values;
  const values = smooth(style.method, curve.x, curve.y, style.amount, extent);
  remembered.set(curve, { tag, values });
  return values;
}

/**
 * From the first x of any line to the last.
 * @param {Line[]} lines
 * @returns {[number, number]}
 */
export function span(lines) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { curve } of lines) {
    if (!curve.length) continue;
    const half = curve.grid.mode === "buckets" ? curve.grid.dx / 2 : 0;
    low = Math.min(low, curve.x[0] - half);
    high = Math.max(high, curve.x[curve.length - 1] + half);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/**
 * The y range: all of the smoothed lines, and of the raw ones all but their rarest peaks.
 * @param {Drawn[]} lines
 * @param {[number, number]} x
 * @param {Style} style
 * @returns {[number, number]}
 */
export function yRange(lines, [from, to], style) {
  const smoothed = style.outliers
    ? [together(lines, from, to)]
    : lines.map(({ x, smoothed: y }) => ({ x, y }));
  const raw = style.outliers ? [] : lines.map((line) => rawCore(line, from, to));
  return padded(bounds([...smoothed, ...raw], from, to, style.log), style.log);
}

/** The middle 98 % of all lines' values. @param {Drawn[]} lines @param {number} from @param {number} to */
function together(lines, from, to) {
  const values = lines.flatMap(({ x, smoothed }) => [
    ...smoothed.filter((_, i) => x[i] >= from && x[i] <= to),
  ]);
  const y = core(Float64Array.from(values), 0.01);
  return { x: new Float64Array(y.length).fill(from), y };
}

/**
 * Where lines leave the frame: up or down, with the x of their extreme.
 * @param {Drawn[]} lines
 * @param {[number, number]} x
 * @param {[number, number]} y
 * @returns {{ line: Drawn, x: number, up: boolean }[]}
 */
export function leavers(lines, [from, to], [low, high]) {
  const out = [];
  for (const line of lines) {
    let top = -1;
    let bottom = -1;
    for (let i = 0; i < line.x.length; i++) {
      if (line.x[i] < from || line.x[i] > to) continue;
      const value = line.smoothed[i];
      if (value > high && (top < 0 || value > line.smoothed[top])) top = i;
      if (value < low && (bottom < 0 || value < line.smoothed[bottom])) bottom = i;
    }
    if (top >= 0) out.push({ line, x: line.x[top], up: true });
    if (bottom >= 0) out.push({ line, x: line.x[bottom], up: false });
  }
  return out;
}

/** @param {Drawn} line @param {number} from @param {number} to */
function rawCore({ x, y }, from, to) {
  const first = x.findIndex((at) => at >= from);
  const visible = y.filter((_, i) => x[i] >= from && x[i] <= to);
  const values = core(visible);
  return { x: new Float64Array(values.length).fill(first < 0 ? Number.NaN : from), y: values };
}

/**
 * A reading: each line's value nearest to `x`, for lines that reach there.
 * @typedef {{ line: Drawn, x: number, value: number, raw: number }} Reading
 *
 * @param {Drawn[]} lines
 * @param {number} x
 * @param {number} slack how far away in x the nearest point may lie
 * @returns {Reading[]}
 */
export function readings(lines, x, slack) {
  const out = [];
  for (const line of lines) {
    const at = nearest(line.x, x);
    if (at < 0 || outside(line.x, x, slack)) continue;
    out.push({ line, x: line.x[at], value: line.smoothed[at], raw: line.y[at] });
  }
  return out;
}

/** @param {Float64Array} x @param {number} at @param {number} slack */
function outside(x, at, slack) {
  return at < x[0] - slack || at > x[x.length - 1] + slack;
}

/**
 * The six readings nearest to the pointer, in order of value.
 * @param {Reading[]} all
 * @param {number} y the pointer's value
 * @returns {{ rows: Reading[], more: number, near: Reading | undefined }}
 */
export function tooltip(all, y) {
  const far = (/** @type {Reading} */ { value }) =>
    Number.isFinite(value) ? Math.abs(value - y) : Number.POSITIVE_INFINITY;
  const byDistance = [...all].sort((a, b) => far(a) - far(b));
  const rows = byDistance.slice(0, 6).sort((a, b) => b.value - a.value);
  return { rows, more: all.length - rows.length, near: byDistance[0] };
}

/**
 * One sentence that says what a chart shows.
 * @param {string} key
 * @param {"step" | "relative" | "wall"} kind
 * @param {Drawn[]} lines
 * @param {(value: number) => string} spell
 */
export function sentence(key, kind, lines, spell) {
  const by = { step: "step", relative: "relative time", wall: "wall time" }[kind];
  if (!lines.length) return `${key} by ${by}, no points yet`;
  const last = (/** @type {Drawn} */ line) => line.smoothed[line.smoothed.length - 1];
  const top = lines.reduce((best, line) => (last(line) > last(best) ? line : best));
  const runs = lines.length === 1 ? "1 run" : `${lines.length} runs`;
  const trend = last(top) >= top.smoothed[0] ? "rising" : "falling";
  return `${key} by ${by}, ${runs}, highest ${top.name} ${spell(last(top))}, ${trend}`;
}
