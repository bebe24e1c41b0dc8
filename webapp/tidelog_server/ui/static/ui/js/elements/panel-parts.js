import { h, icon } from "tidelog/dom";
import { number, position } from "tidelog/format";

/** What a panel shows besides its lines. */

const WAVE = "M0 60C20 60 25 20 45 22S70 48 90 40s30-24 55-26 35 12 55 8";

/**
 * A chart in words and numbers: one row a run.
 * @param {import("tidelog/chart/model").Line[]} lines
 * @param {string} key
 * @param {"step" | "relative" | "wall"} kind
 */
export function tableOf(lines, key, kind) {
  const head = ["Run", "Last at", "Last", "Least", "Greatest"];
  const cells = head.map((text, i) => h("th", { class: i ? "right" : "", scope: "col" }, text));
  const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, ...cells)));
  table.append(h("tbody", {}, ...lines.map((line) => tableRow(line, kind))));
  const attributes = { class: "panel-table", tabindex: "0", role: "region", "aria-label": key };
  return h("div", attributes, table);
}

/** @param {import("tidelog/chart/model").Line} line @param {"step" | "relative" | "wall"} kind */
function tableRow({ name, curve }, kind) {
  const last = curve.length - 1;
  const numbers = [curve.y[last], extreme(curve.lo, -1), extreme(curve.hi, 1)];
  const texts = [position(kind, curve.x[last]), ...numbers.map((value) => number(value))];
  const values = texts.map((text) => h("td", { class: "right" }, text));
  return h("tr", {}, h("td", {}, name), ...values);
}

/** The least (-1) or greatest (1) finite value. @param {Float64Array} values @param {1 | -1} sign */
function extreme(values, sign) {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((best, value) => (value * sign > best * sign ? value : best), finite[0]);
}

/** @param {string} name @param {string} label @param {string} extra */
export function action(name, label, extra) {
  const attributes = { class: `btn ghost icon ${extra}`, type: "button", "aria-label": label };
  return h("button", { ...attributes, title: label }, icon(name));
}

/** Axes and a flat wave, while the first points are on their way. */
export function skeleton() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 200 80");
  svg.setAttribute("preserveAspectRatio", "none");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", WAVE);
  svg.append(path);
  return svg;
}
