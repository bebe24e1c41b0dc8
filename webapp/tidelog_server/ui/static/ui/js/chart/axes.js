import { increments, logLabels, logSplits, xLabels } from "tidelog/chart/scale";
import { ticks } from "tidelog/format";

/** The two axes of a line chart, as uPlot wants them. */

/** @param {any} axis @param {"step" | "relative" | "wall"} kind @param {string} line @returns {import("uplot").Axis} */
export function xAxis(axis, kind, line) {
  const labels = {
    values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => xLabels(kind, at),
  };
  return {
    ...axis,
    ...(kind === "wall" ? {} : labels),
    ...(increments(kind) ? { incrs: increments(kind) } : {}),
    size: 22,
    gap: 4,
    space: 58,
    grid: { show: false },
    border: { show: true, stroke: line, width: 1 },
  };
}

/** @param {any} axis @param {boolean} log @returns {import("uplot").Axis} */
export function yAxis(axis, log) {
  return {
    ...axis,
    size: 42,
    gap: 7,
    space: 34,
    values: (_, at) => (log ? logLabels(at) : ticks(at)),
    ...(log ? { splits: (_, __, low, high) => logSplits(low, high), filter: (_, at) => at } : {}),
  };
}
