/** Numbers, durations and times as people read them. Pure: the clock is an argument. */

const THIN = " ";

/**
 * A metric's value with four significant digits: 0.8346, 46,210, 1.6e-3, NaN, ∞.
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-2 || size >= 1e9) return exponent(value, 2);
  if (Number.isInteger(value)) return grouped(value);
  if (size >= 1000) return grouped(Math.round(value));
  return value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
}

/** @param {number} value @param {number} digits */
function exponent(value, digits) {
  return value
    .toExponential(digits - 1)
    .replace("e+", "e")
    .replace(".0e", "e");
}

/** @param {number} value */
export function grouped(value) {
  return value.toLocaleString("en-GB", { maximumFractionDigits: 6 });
}

/**
 * Labels for an axis: as many digits as tell neighbouring ticks apart.
 * @param {number[]} ticks
 * @returns {string[]}
 */
export function ticks(ticks) {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const gap = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : largest;
  return ticks.map((tick) => tickLabel(tick, largest, gap));
}

/** @param {number} tick @param {number} largest @param {number} gap */
function tickLabel(tick, largest, gap) {
  if (Math.abs(tick) < gap * 1e-9 || tick === 0) return "0";
  if (largest < 1e-2 || largest >= 1e12) return exponent(tick, significant(tick, gap));
  if (largest >= 1e6) return scaled(tick, 1e6, gap, "M");
  if (largest >= 1e4 || (largest >= 1e3 && gap >= 100)) return scaled(tick, 1e3, gap, "k");
  return String(Number(tick.toFixed(places(gap))));
}

/** @param {number} tick @param {number} gap */
function significant(tick, gap) {
  const digits = Math.floor(Math.log10(Math.abs(tick))) - Math.floor(Math.log10(gap) + 1e-9) + 1;
  return Math.min(6, Math.max(2, digits));
}

/** @param {number} tick @param {number} unit @param {number} gap @param {string} suffix */
function scaled(tick, unit, gap, suffix) {
  return `${Number((tick / unit).toFixed(places(gap / unit)))}${suffix}`;
}

/** @param {number} gap how many decimals it takes to write it, and so all its multiples */
function places(gap) {
  for (let digits = 0; digits < 12; digits++) {
    const scaled = gap * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 12;
}

/**
 * "4 h 12 m", "38 m 12 s", "0.8 s"; short form without spaces inside a unit: "4h 12m".
 * @param {number | null | undefined} seconds
 * @param {boolean} [short]
 */
export function duration(seconds, short = false) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const gap = short ? "" : THIN;
  const whole = Math.max(0, Math.round(seconds));
  const [d, h, m, s] = [
    Math.floor(whole / 86400),
    Math.floor((whole % 86400) / 3600),
    Math.floor((whole % 3600) / 60),
    whole % 60,
  ];
  if (d) return `${d}${gap}d ${h}${gap}h`;
  if (h) return `${h}${gap}h ${pad(m)}${gap}m`;
  if (m) return `${m}${gap}m ${pad(s)}${gap}s`;
  return `${s}${gap}s`;
}

/** @param {number} value */
const pad = (value) => String(value).padStart(2, "0");

/**
 * "12 s ago", "3 h ago", after a week the date.
 * @param {number} then seconds since the epoch
 * @param {number} now seconds since the epoch
 */
export function ago(then, now) {
  const past = Math.max(0, now - then);
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  if (past < 7 * 86400) return `${Math.floor(past / 86400)} d ago`;
  return day(then);
}

/**
 * How long a run has been silent: "3 min", "2 h".
 * @param {string | null} heard ISO 8601
 * @param {number} now seconds since the epoch
 */
export function silence(heard, now) {
  const past = now - Date.parse(heard ?? "") / 1000;
  return past < 7200 ? `${Math.floor(past / 60)} min` : `${Math.floor(past / 3600)} h`;
}

/** @param {number} seconds */
export function day(seconds) {
  return new Date(seconds * 1000).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}

/** @param {number} seconds since the epoch; "14:02:07" */
export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** Hours, minutes and seconds that passed: "0:04:12". @param {number} seconds */
export function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}

/**
 * A value on the x axis in words.
 * @param {"step" | "relative" | "wall"} kind
 * @param {number} x
 */
export function position(kind, x) {
  if (kind === "relative") return duration(x);
  if (kind === "wall") return `${day(x)}, ${clock(x)}`;
  return grouped(Math.abs(x) >= 1000 ? Math.round(x) : Number(x.toPrecision(6)));
}

/**
 * Split a long title so that both ends stay readable: ["train/layers/", "12/grad_norm"].
 * @param {string} title
 * @returns {[string, string]}
 */
export function ends(title) {
  const cut = title.length <= 24 ? title.length : title.length - 12;
  return [title.slice(0, cut), title.slice(cut)];
}

/**
 * The unit a key's name tells, if it tells one.
 * @param {string} key
 */
export function unit(key) {
  if (/(^|[/_.])per[_.]/i.test(key)) return "";
  const known = [
    [/(percent|_pct|utili[sz]ation)$/i, "%"],
    [/(_gb|_gib)$/i, "GB"],
    [/(_mb|_mib)$/i, "MB"],
    [/(_bytes)$/i, "B"],
    [/(_watts?|power)$/i, "W"],
    [/(_celsius|temperature)$/i, "°C"],
    [/(_seconds|_sec|_s)$/i, "s"],
    [/(_ms)$/i, "ms"],
  ];
  const found = known.find(([pattern]) => /** @type {RegExp} */ (pattern).test(key));
  return found ? String(found[1]) : "";
}
