/** Orders of the run list. Pure. */

/**
 * @typedef {object} Sortable
 * @property {string} name
 * @property {number} number
 * @property {string} state
 * @property {number | undefined} value of the main metric
 * @property {number} runtime
 */

/** @type {Record<string, (row: Sortable) => string | number | undefined>} */
const BY = {
  number: (row) => row.number,
  name: (row) => row.name,
  state: (row) => row.state,
  value: (row) => row.value,
  runtime: (row) => row.runtime,
};

/**
 * @template {Sortable} T
 * @param {T[]} rows
 * @param {string} sort such as "name" or, downwards, "-value"
 * @returns {T[]} a new list; rows without the value last, ties newest first
 */
export function sorted(rows, sort) {
  const down = sort.startsWith("-");
  const by = BY[sort.replace(/^-/, "")] ?? BY.number;
  const compare = (/** @type {T} */ a, /** @type {T} */ b) => {
    const [x, y] = [by(a), by(b)];
    if (absent(x) || absent(y)) return Number(absent(x)) - Number(absent(y));
    return order(/** @type {any} */ (x), /** @type {any} */ (y)) * (down ? -1 : 1);
  };
  return [...rows].sort((a, b) => compare(a, b) || b.number - a.number);
}

/** @param {unknown} value */
const absent = (value) => value === undefined || Number.isNaN(value);

/** @param {string | number} a @param {string | number} b */
function order(a, b) {
  if (typeof a === "string") return a.localeCompare(String(b), "en", { numeric: true });
  return a - Number(b);
}

/**
 * Which slice of a virtual list to make.
 * @param {number} top scrolled
 * @param {number} height of the view
 * @param {number} row height of one
 * @param {number} count
 * @returns {[number, number]} from, to
 */
export function slice(top, height, row, count) {
  const over = 6;
  const from = Math.max(0, Math.floor(top / row) - over);
  return [Math.min(from, count), Math.min(count, Math.ceil((top + height) / row) + over)];
}
