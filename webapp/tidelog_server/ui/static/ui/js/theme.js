/** The theme switch, and the tokens as a canvas needs them. */

const DARK = matchMedia("(prefers-color-scheme: dark)");
const MEDIA = /** @type {Record<string, string>} */ ({
  light: "not all",
  dark: "all",
  system: "(prefers-color-scheme: dark)",
});

/**
 * @typedef {object} Tokens
 * @property {string[]} runs colours of the palette; 0 is the one of hidden runs
 * @property {string} grid
 * @property {string} axis
 * @property {string} cross
 * @property {string} label
 * @property {string} surface
 * @property {number} rawAlpha
 * @property {number} bandAlpha
 * @property {string} font
 */

/** @type {Tokens | undefined} */
let known;

/** @returns {Tokens} read once for each theme */
export function tokens() {
  known ??= readTokens();
  return known;
}

function readTokens() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  const forced = matchMedia("(forced-colors: active)").matches;
  const hues = Array.from({ length: 13 }, (_, i) => token(i ? `run-${i}` : "run-off"));
  return {
    runs: forced ? hues.map(() => "CanvasText") : hues,
    grid: token("chart-grid"),
    axis: token("chart-axis"),
    cross: token("chart-cross"),
    label: token("chart-label"),
    surface: token("surface"),
    rawAlpha: Number(token("raw-alpha")),
    bandAlpha: Number(token("band-alpha")),
    font: token("font-ui"),
  };
}

/** Tell everyone who paints. */
function changed() {
  known = undefined;
  document.dispatchEvent(new CustomEvent("tl-theme"));
}

/** @param {string} name light, dark or system */
export function setTheme(name) {
  // biome-ignore lint/suspicious/noDocumentCookie: the cookie store is not in every browser yet
  document.cookie = `tidelog_theme=${name}; Path=/; Max-Age=31536000; SameSite=Lax`;
  document.documentElement.dataset.theme = name;
  document.getElementById("dark")?.setAttribute("media", MEDIA[name]);
  changed();
}

DARK.addEventListener("change", changed);
// A canvas does not wait for a font as text does.
if (document.fonts.status !== "loaded") document.fonts.ready.then(changed);
