/**
 * What is on screen, as the address bar keeps it. Whatever has its usual value is left out,
 * so a fresh page has a clean address.
 *
 * @typedef {object} View
 * @property {string} q filter of runs
 * @property {boolean} qre the filter is a regular expression
 * @property {string} m filter of metrics
 * @property {boolean} mre
 * @property {"step" | "relative" | "wall"} x
 * @property {[number, number] | null} xr range of x
 * @property {number} sm smoothing, 0 to 0.99
 * @property {import("tidelog/chart/smooth").Method} smk
 * @property {boolean} log
 * @property {boolean} out let a few outliers leave the frame
 * @property {string} panel the panel that fills the screen
 * @property {boolean} sync zoom all panels together
 * @property {string} sort "-number", "name", ...
 * @property {string} hl highlighted run
 * @property {string[] | null} show runs shown; null is the first ten
 * @property {string[]} shut closed sections
 */

/** @returns {View} */
export function usual() {
  return {
    q: "",
    qre: false,
    m: "",
    mre: false,
    x: "step",
    xr: null,
    sm: 0.6,
    smk: "gaussian",
    log: false,
    out: false,
    panel: "",
    sync: true,
    sort: "-number",
    hl: "",
    show: null,
    shut: ["system"],
  };
}

/** @type {Record<string, (text: string) => unknown>} */
const READ = {
  boolean: (text) => text === "1",
  number: (text) => Math.min(0.99, Math.max(0, Number(text) || 0)),
  string: (text) => text,
};

/**
 * @param {string} search
 * @returns {View}
 */
export function read(search) {
  const asked = new URLSearchParams(search);
  /** @type {any} */
  const view = usual();
  for (const [name, value] of Object.entries(view)) {
    const text = asked.get(name);
    if (text !== null && READ[typeof value]) view[name] = READ[typeof value](text);
  }
  view.xr = range(asked.get("xr"));
  view.show = list(asked.get("show")) ?? null;
  view.shut = list(asked.get("shut")) ?? view.shut;
  if (!["step", "relative", "wall"].includes(view.x)) view.x = "step";
  if (!["gaussian", "exponential", "mean", "none"].includes(view.smk)) view.smk = "gaussian";
  return view;
}

/**
 * @param {View} view
 * @returns {string} "" or "?..."
 */
export function write(view) {
  const out = new URLSearchParams();
  const fresh = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (usual()));
  for (const [name, value] of Object.entries(view)) {
    const text = spelled(value);
    if (text !== spelled(fresh[name])) out.set(name, text ?? "");
  }
  const text = out.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

/** @param {unknown} value */
function spelled(value) {
  if (value === null) return null;
  if (typeof value === "boolean") return value ? "1" : "0";
  if (Array.isArray(value)) return value.map((part) => part).join(",");
  return String(value);
}

/** @param {string | null} text @returns {[number, number] | null} */
function range(text) {
  const [from, to] = (text ?? "").split(",").map(Number);
  return text && Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

/** @param {string | null} text */
function list(text) {
  return text === null ? undefined : text.split(",").filter(Boolean);
}
