import { Desk } from "tidelog/data/desk";
import { Live } from "tidelog/data/live";
import { runtime, Store, shownState } from "tidelog/data/store";
import { ViewState } from "tidelog/data/view";
import { data, find, stateIcon, stateWord } from "tidelog/dom";
import { wireMenu } from "tidelog/elements/run-menu";
import { wireTools } from "tidelog/elements/tools";
import { wireTree } from "tidelog/elements/tree";
import { duration, number, silence } from "tidelog/format";
import { wireKeys } from "tidelog/keys";
import { showLive } from "tidelog/shell";
import "tidelog/elements/board";
import "tidelog/elements/copy";
import "tidelog/elements/edit";
import "tidelog/elements/log";

/**
 * @typedef {object} Page
 * @property {string} api
 * @property {string} socket
 * @property {string} run
 * @property {string} workspace
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
const edits = /** @type {import("tidelog/elements/edit").TlEdit[]} */ ([
  ...document.querySelectorAll("tl-edit"),
]);
const url = `${page.api}/runs/${encodeURIComponent(page.run)}`;

/** What the badge says of a run. @param {import("tidelog/data/store").Run} run @param {number} now */
function condition(run, now) {
  const state = shownState(run, now);
  if (state === "stale") return `No signal for ${silence(run.heard_at, now)}`;
  const word = stateWord(state);
  return `${word[0].toUpperCase()}${word.slice(1)} ${duration(runtime(run, now))}`;
}

/** A newest value may be the best. @param {Element | null} best @param {number} value */
function better(best, value) {
  if (!(best instanceof HTMLElement) || best.dataset.best === undefined) return;
  const before = Number(best.dataset.best);
  if (page.main.lower ? value >= before : value <= before) return;
  best.dataset.best = String(value);
  best.textContent = `best ${number(value)}`;
}

/** The head: state, how long, and the newest value of each figure. */
function head() {
  const run = store.runs.get(page.run);
  if (!run) return;
  const now = Date.now() / 1000;
  const state = shownState(run, now);
  const badge = find(document, "#state");
  badge.className = `badge ${state}`;
  const text = condition(run, now);
  if (badge.textContent !== text) badge.replaceChildren(stateIcon(state), text);
  for (const figure of document.querySelectorAll("[data-figure]")) {
    const key = /** @type {HTMLElement} */ (figure).dataset.figure ?? "";
    const value = store.value(run, key);
    if (value === undefined) continue;
    figure.textContent = number(value);
    better(figure.nextElementSibling, value);
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

for (const edit of edits) edit.url = url;
store.addEventListener("runs", () => {
  const run = store.runs.get(page.run);
  for (const edit of edits) if (run) edit.accept(run[edit.field]);
});
for (const field of document.querySelectorAll("[data-tree]")) {
  wireTree(/** @type {HTMLInputElement} */ (field));
}
wireMenu({ url, workspace: page.workspace });
