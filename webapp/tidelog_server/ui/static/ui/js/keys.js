import { typing } from "tidelog/shell";

/**
 * Single letters of the pages with charts. They work only when no field has the focus.
 * @param {{ desk: import("tidelog/data/desk").Desk, live: import("tidelog/data/live").Live,
 *     board: HTMLElement, runs: import("tidelog/elements/runs").TlRuns | null }} page
 */
export function wireKeys({ desk, live, board, runs }) {
  const { view } = desk;
  const focus = (/** @type {string} */ selector) =>
    /** @type {HTMLElement | null} */ (document.querySelector(selector))?.focus();
  /** @type {Record<string, () => void>} */
  const acts = {
    "/": () => focus(runs ? "[data-runs=filter]" : "[data-tool=filter]"),
    "[": () => document.querySelector(".workspace")?.classList.toggle("runs-hidden"),
    j: () => runs?.move(1),
    k: () => runs?.move(-1),
    v: () => runs?.toggleCursor(false),
    V: () => runs?.toggleCursor(true),
    l: () => toggleLog(board, view),
    s: () => focus("[data-tool=slider]"),
    0: () => resetZoom(board, view),
    ".": () => live.pause(),
  };
  document.addEventListener("keydown", (event) => {
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (typing(event) || !act || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  });
}

/** @param {HTMLElement} board */
function focused(board) {
  const panel = document.activeElement?.closest("tl-panel");
  return panel && board.contains(panel)
    ? /** @type {import("tidelog/elements/panel").TlPanel} */ (panel)
    : null;
}

/** The focused panel alone, or all of them. */
/** @param {HTMLElement} board @param {import("tidelog/data/view").ViewState} view */
function toggleLog(board, view) {
  const panel = focused(board);
  if (panel) panel.toggleLog();
  else view.set({ log: !view.now.log });
}

/** @param {HTMLElement} board @param {import("tidelog/data/view").ViewState} view */
function resetZoom(board, view) {
  const panel = focused(board);
  if (panel) panel.zoom(null);
  else view.set({ xr: null });
}
