import { Desk } from "tidelog/data/desk";
import { Live } from "tidelog/data/live";
import { Store } from "tidelog/data/store";
import { ViewState } from "tidelog/data/view";
import { data, find } from "tidelog/dom";
import { wireTools } from "tidelog/elements/tools";
import { wireKeys } from "tidelog/keys";
import { remember } from "tidelog/recent";
import { showLive } from "tidelog/shell";
import "tidelog/elements/board";
import "tidelog/elements/copy";
import "tidelog/elements/runs";

/**
 * @typedef {object} Page
 * @property {string} api
 * @property {string} socket
 * @property {{ key: string, lower: boolean }} main
 * @property {{ runs: import("tidelog/data/store").Run[], keys: string[], count: number, rev: number }} first
 */

const page = /** @type {Page} */ (data("page"));
const store = new Store(page.api, page.first);
const desk = new Desk(store, new ViewState());
const live = new Live(page.socket, () => store.rev);
const board = /** @type {import("tidelog/elements/board").TlBoard} */ (find(document, "tl-board"));
const runs = /** @type {import("tidelog/elements/runs").TlRuns} */ (find(document, "tl-runs"));

runs.start(desk, page.main);
wireTools(board, desk.view);
board.start(desk, page.main.key);
wireKeys({ desk, live, board, runs });
find(document, "#toggle-runs").addEventListener("click", (event) => {
  const hidden = find(document, ".workspace").classList.toggle("runs-hidden");
  /** @type {Element} */ (event.currentTarget).setAttribute("aria-expanded", String(!hidden));
});

store.follow(live);
live.start();
showLive(live, () => {
  const running = [...store.runs.values()].filter(({ state }) => state === "running").length;
  return running === 1 ? "1 run" : running ? `${running} runs` : "Nothing running";
});
store.readRest();
remember(location.pathname);
