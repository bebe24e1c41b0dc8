/** Small helpers to make elements; text is always text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined>} [attributes] `class`, `aria-label`, ...
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** @param {string} name @param {string} className */
function use(name, className) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const link = document.createElementNS(SVG, "use");
  link.setAttribute("href", `${document.documentElement.dataset.sprite}#${name}`);
  svg.append(link);
  return svg;
}

/** @param {string} name of a symbol in the sprite */
export function icon(name) {
  return use(name, "i");
}

/** @param {{ hue: number, marker: number, dash: number }} look @param {boolean} [off] */
export function swatch(look, off = false) {
  return use(`run-${look.marker}-${look.dash}`, `swatch c${off ? 0 : look.hue}`);
}

const WORDS = /** @type {Record<string, string>} */ ({
  running: "running",
  finished: "finished",
  failed: "failed",
  crashed: "crashed",
  killed: "stopped",
  stale: "no signal",
});

/** @param {string} state @param {string} [title] */
export function stateIcon(state, title) {
  const svg = use(`state-${state === "stale" ? "running" : state}`, `state ${state}`);
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title ?? WORDS[state] ?? state);
  return svg;
}

/** @param {string} state */
export const stateWord = (state) => WORDS[state] ?? state;

/**
 * @template T
 * @param {string} id of a `<script type="application/json">`
 * @returns {T}
 */
export function data(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} within
 * @param {string} selector
 * @returns {T}
 */
export function find(within, selector) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/** Say something to a screen reader, politely. @param {string} sentence */
export function say(sentence) {
  const region = document.getElementById("speech");
  if (region) region.textContent = sentence;
}
