import { find } from "tidelog/dom";

const METHODS = {
  gaussian: "Gaussian",
  exponential: "Exponential",
  mean: "Running mean",
  none: "None",
};

/**
 * Wire a board's toolbar to the view: what is set there is in the address bar, and the other
 * way round.
 * @param {HTMLElement} board
 * @param {import("tidelog/data/view").ViewState} view
 */
export function wireTools(board, view) {
  const tools = {
    filter: /** @type {HTMLInputElement} */ (find(board, "[data-tool=filter]")),
    regex: find(board, "[data-tool=regex]"),
    x: /** @type {HTMLSelectElement} */ (find(board, "[data-tool=x]")),
    method: /** @type {HTMLSelectElement} */ (find(board, "[data-tool=method]")),
    slider: /** @type {HTMLInputElement} */ (find(board, "[data-tool=slider]")),
    amount: /** @type {HTMLInputElement} */ (find(board, "[data-tool=amount]")),
    log: find(board, "[data-tool=log]"),
    outliers: find(board, "[data-tool=outliers]"),
    sync: find(board, "[data-tool=sync]"),
    reset: find(board, "[data-tool=reset]"),
    fault: find(board, "[data-tool=fault]"),
  };
  tools.filter.oninput = () => view.set({ m: tools.filter.value });
  tools.regex.onclick = () => view.set({ mre: !view.now.mre });
  tools.x.onchange = () => view.set({ x: /** @type {any} */ (tools.x.value), xr: null });
  tools.method.onchange = () => view.set({ smk: /** @type {any} */ (tools.method.value) });
  tools.slider.oninput = () => view.set({ sm: Number(tools.slider.value) });
  tools.amount.onchange = () => view.set({ sm: clamp(Number(tools.amount.value)) });
  tools.log.onclick = () => view.set({ log: !view.now.log });
  tools.outliers.onclick = () => view.set({ out: !view.now.out });
  tools.sync.onclick = () => view.set({ sync: !view.now.sync, xr: null });
  tools.reset.onclick = () => view.set({ xr: null });
  board.addEventListener("tl-fault", (event) => {
    const fault = /** @type {CustomEvent<string>} */ (event).detail;
    tools.fault.textContent = fault;
    tools.filter.setAttribute("aria-invalid", String(Boolean(fault)));
  });
  const mirror = () => show(tools, view.now);
  view.addEventListener("change", mirror);
  mirror();
}

/** @param {Record<string, any>} tools @param {import("tidelog/query").View} now */
function show(tools, now) {
  if (document.activeElement !== tools.filter) tools.filter.value = now.m;
  tools.regex.setAttribute("aria-pressed", String(now.mre));
  tools.x.value = now.x;
  tools.method.value = now.smk;
  tools.slider.value = String(now.sm);
  tools.slider.style.setProperty("--fill", String((now.sm / 0.99) * 100));
  tools.slider.setAttribute("aria-valuetext", `${now.sm.toFixed(2)}, ${METHODS[now.smk]}`);
  if (document.activeElement !== tools.amount) tools.amount.value = now.sm.toFixed(2);
  tools.log.setAttribute("aria-pressed", String(now.log));
  tools.outliers.setAttribute("aria-pressed", String(now.out));
  tools.sync.setAttribute("aria-pressed", String(now.sync));
  tools.reset.hidden = !now.xr;
}

/** @param {number} value */
const clamp = (value) => Math.min(0.99, Math.max(0, Number.isFinite(value) ? value : 0));
