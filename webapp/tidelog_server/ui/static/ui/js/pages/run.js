import { Desk } from "tidelog/data/desk";
import { Live } from "tidelog/data/live";
import { runtime, Store, shownState } from "tidelog/data/store";
import { ViewState } from "tidelog/data/view";
import { data, find, stateIcon, stateWord } from "tidelog/dom";
import { wireTools } from "tidelog/elements/tools";
import { duration, number } from "tidelog/format";
import { wireKeys } from "tidelog/keys";
import { showLive } from "tidelog/shell";
import "tidelog/elements/board";
import "tidelog/elements/copy";
import "tidelog/elements/log";

/**
 * @typedef {object} Page
 * @property {string} api
 * @property {string} socket
 * @property {string} run
 * @property {{ key: string, lower: boolean }} main
 * @property {{ runs: import("tidelog/data/store").Run[], keys: string[], count: number, rev: number }} first
 */

const page = /** @type {Page} */ (data("page"));
const store = new Store(page.api, page.first, page.run);
const desk = new Desk(store, new ViewState());
const live = new Live(page.socket, () => store.rev);
const board = /** @type {import("tidelog/elements/board").TlBoard | null} */ (
  document.querySelector("tl-board")
);
const log = /** @type {import("tidelog/elements/log").TlLog | null} */ (
  document.querySelector("tl-log")
);

/** The head: state, how long, and the newest value of each figure. */
function head() {
  const run = store.runs.get(page.run);
  if (!run) return;
  const now = Date.now() / 1000;
  const state = shownState(run, now);
  const badge = find(document, "#state");
  badge.className = `badge ${state}`;
  const word = stateWord(state);
  const text = `${word[0].toUpperCase()}${word.slice(1)} ${duration(runtime(run, now))}`;
  if (badge.textContent !== text) badge.replaceChildren(stateIcon(state), text);
  for (const figure of document.querySelectorAll("[data-figure]")) {
    const key = /** @type {HTMLElement} */ (figure).dataset.figure ?? "";
    const value = store.value(run, key);
    if (value !== undefined) figure.textContent = number(value);
  }
  if (run.state !== "running" && log?.hasAttribute("running")) log.end();
}

if (board) {
  wireTools(board, desk.view);
  board.start(desk, page.main.key);
  wireKeys({ desk, live, board, runs: null });
}
store.addEventListener("runs", head);
setInterval(head, 1000);
head();
store.follow(live);
live.start();
showLive(live, () => store.runs.get(page.run)?.name ?? "");

const search = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-pairs]"));
search?.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  for (const row of document.querySelectorAll("#config tr")) {
    /** @type {HTMLElement} */ (row).hidden = !row.textContent?.toLowerCase().includes(wanted);
  }
});
