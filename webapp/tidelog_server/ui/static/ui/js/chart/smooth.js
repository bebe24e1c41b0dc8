/**
 * Smoothing of a curve. Every method takes sorted `x`, the values `y` (NaN allowed, and kept
 * where it was), and answers with a new array of the same length.
 *
 * @typedef {"gaussian" | "exponential" | "mean" | "none"} Method
 */

/**
 * @param {Method} method
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} amount 0 (nothing) to 0.99
 * @param {number} extent how wide the whole chart is in x; the window is a share of it, so
 *     that two runs of different length are smoothed alike and a zoom changes nothing
 * @returns {Float64Array}
 */
export function smooth(method, x, y, amount, extent) {
  if (amount <= 0 || y.length < 3 || method === "none") return y;
  if (method === "exponential") return exponential(y, amount);
  const reach = (amount * amount * extent) / 16;
  return method === "mean" ? runningMean(x, y, reach) : gaussian(x, y, reach);
}

/**
 * Exponential moving average with bias correction, so that the start is not pulled to zero.
 * @param {Float64Array} y
 * @param {number} weight
 */
export function exponential(y, weight) {
  const out = new Float64Array(y.length);
  let sum = 0;
  let mass = 0;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) {
      out[i] = y[i];
      continue;
    }
    sum = sum * weight + (1 - weight) * y[i];
    mass = mass * weight + (1 - weight);
    out[i] = sum / mass;
  }
  return out;
}

/**
 * A bell of standard deviation `sigma` (in x), cut at 2.5 of them.
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} sigma
 */
export function gaussian(x, y, sigma) {
  if (!(sigma > 0)) return y;
  const scale = -0.5 / (sigma * sigma);
  return windowed(x, y, 2.5 * sigma, (distance) => Math.exp(distance * distance * scale));
}

/**
 * The plain mean of everything within `reach` on either side.
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} reach
 */
export function runningMean(x, y, reach) {
  return reach > 0 ? windowed(x, y, reach, () => 1) : y;
}

/**
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} reach
 * @param {(distance: number) => number} weigh
 */
function windowed(x, y, reach, weigh) {
  const out = new Float64Array(y.length);
  let from = 0;
  for (let i = 0; i < y.length; i++) {
    while (x[from] < x[i] - reach) from++;
    out[i] = Number.isFinite(y[i]) ? weighted(x, y, i, from, reach, weigh) : y[i];
  }
  return out;
}

/**
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} at
 * @param {number} from
 * @param {number} reach
 * @param {(distance: number) => number} weigh
 */
function weighted(x, y, at, from, reach, weigh) {
  let sum = 0;
  let mass = 0;
  for (let j = from; j < x.length && x[j] <= x[at] + reach; j++) {
    if (!Number.isFinite(y[j])) continue;
    const w = weigh(x[j] - x[at]);
    sum += w * y[j];
    mass += w;
  }
  return sum / mass;
}
