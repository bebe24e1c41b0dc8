import { find, h, icon, stateIcon, swatch } from "tidelog/dom";

/** One row of the run list; it is filled again and again, and touches only what changed. */

/** @param {import("tidelog/data/store").Run} run */
export function runRow(run) {
  const eye = h("button", { class: "eye", type: "button", tabindex: "-1" });
  const link = h("a", { href: address(run), tabindex: "-1" });
  const cell = () => h("span", { class: "v", role: "gridcell" });
  const attributes = { class: "run-row", role: "row", id: `row-${run.id}`, "data-run": run.id };
  const name = h("span", { class: "run-name", role: "gridcell" }, link);
  return h("div", attributes, h("span", { role: "gridcell" }, eye), name, cell(), cell());
}

/** @param {import("tidelog/data/store").Run} run */
function address(run) {
  return `${location.pathname.replace(/\/$/, "")}/runs/${encodeURIComponent(run.id)}`;
}

/**
 * Eye, swatch, name and state.
 * @param {HTMLElement} row
 * @param {import("tidelog/data/store").Run} run
 * @param {{ hue: number, marker: number, dash: number }} look
 * @param {boolean} shown
 * @param {string} state
 */
export function fillLooks(row, run, look, shown, state) {
  const tag = `${shown} ${state} ${run.name} ${run.color}`;
  if (row.dataset.tag === tag) return;
  row.dataset.tag = tag;
  row.classList.toggle("off", !shown);
  const eye = find(row, ".eye");
  eye.replaceChildren(icon(shown ? "eye" : "eye-off"));
  eye.setAttribute("aria-label", `${shown ? "Hide" : "Show"} ${run.name}`);
  eye.setAttribute("aria-pressed", String(shown));
  const link = find(row, "a");
  link.textContent = run.name;
  link.title = run.name;
  find(row, ".run-name").replaceChildren(swatch(look, !shown), link, stateIcon(state));
}

/**
 * @param {HTMLElement} row
 * @param {string} value of the main metric
 * @param {boolean} best
 * @param {string} time
 */
export function fillNumbers(row, value, best, time) {
  const [cell, other] = row.querySelectorAll(".v");
  if (cell.textContent !== value) cell.textContent = value;
  cell.classList.toggle("best", best);
  if (other.textContent !== time) other.textContent = time;
}
