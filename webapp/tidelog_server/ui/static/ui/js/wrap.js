/**
 * Where each line of a log begins when long lines wrap at `columns` characters. Pure.
 * @param {number} total
 * @param {(line: number) => number} length characters of a line; 0 if it is not known
 * @param {number} columns 0: lines do not wrap
 * @returns {Float64Array} total + 1 offsets, in rows
 */
export function offsets(total, length, columns) {
  const out = new Float64Array(total + 1);
  for (let i = 0; i < total; i++) {
    out[i + 1] = out[i] + (columns ? Math.max(1, Math.ceil(length(i) / columns)) : 1);
  }
  return out;
}

/**
 * The line at a row.
 * @param {Float64Array} offsets
 * @param {number} row
 */
export function lineAt(offsets, row) {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle + 1] <= row) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, Math.min(low, offsets.length - 2));
}
