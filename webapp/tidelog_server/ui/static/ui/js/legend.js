/** What a panel's lines are worth, for tables and files. Pure. */

/**
 * @typedef {{ run: string, name: string, last: number, min: number, max: number }} Row
 */

/** @param {import("tidelog/chart/model").Drawn} line @returns {Row} */
export function summary({ run, name, y, curve }) {
  const [lows, highs] = [curve.lo.filter(Number.isFinite), curve.hi.filter(Number.isFinite)];
  const least = lows.reduce((best, v) => Math.min(best, v), Number.POSITIVE_INFINITY);
  const most = highs.reduce((best, v) => Math.max(best, v), Number.NEGATIVE_INFINITY);
  const known = (/** @type {number} */ v) => (Number.isFinite(v) ? v : Number.NaN);
  return { run, name, last: y[y.length - 1], min: known(least), max: known(most) };
}

/**
 * Rows in the order of a column; what is not a number comes last either way.
 * @param {Row[]} rows
 * @param {"name" | "last" | "min" | "max"} column
 * @param {boolean} down
 */
export function byColumn(rows, column, down) {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (column === "name") return sign * a.name.localeCompare(b.name, "en", { numeric: true });
    const [x, y] = [a[column], b[column]];
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
}

/**
 * What is drawn, as comma separated values.
 * @param {import("tidelog/chart/model").Drawn[]} lines
 * @param {string} kind of x
 */
export function csv(lines, kind) {
  const cell = (/** @type {string} */ text) =>
    /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const rows = lines.flatMap(({ name, x, y, smoothed }) =>
    Array.from(x, (at, i) => `${cell(name)},${at},${y[i]},${smoothed[i]}`),
  );
  return `${[`run,${kind},value,smoothed`, ...rows].join("\n")}\n`;
}
