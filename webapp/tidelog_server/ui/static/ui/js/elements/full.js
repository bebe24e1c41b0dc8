import { h, swatch } from "tidelog/dom";
import { TlPanel } from "tidelog/elements/panel";
import { action } from "tidelog/elements/panel-parts";
import { number } from "tidelog/format";
import { byColumn, summary } from "tidelog/legend";

const COLUMNS = /** @type {const} */ (["name", "last", "min", "max"]);
const HEADS = { name: "Run", last: "Last", min: "Min", max: "Max" };
const REFRESH = 500;

/** One panel over the whole page, with a table of its runs; the board below stays as it is. */
class Full {
  #box = h("div", { class: "full", role: "dialog", "aria-modal": "true", tabindex: "-1" });
  #legend = h("tbody");
  /** @type {TlPanel | undefined} */
  #panel;
  /** @type {"name" | "last" | "min" | "max"} */
  #by = "last";
  #down = true;
  #before = document.activeElement;
  #told = "";

  /** @param {import("tidelog/elements/board").TlBoard} board @param {import("tidelog/data/desk").Desk} desk */
  constructor(board, desk) {
    this.board = board;
    this.desk = desk;
    const close = action("clear", "Close (Esc)", "");
    close.onclick = () => this.#leave();
    const heads = COLUMNS.map((column) => this.#head(column));
    const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, ...heads)));
    table.append(this.#legend);
    const side = h("div", { class: "full-side", tabindex: "0", role: "region" }, table);
    side.setAttribute("aria-label", "Runs of this panel");
    this.#box.append(h("div", { class: "full-main" }), side, h("div", { class: "full-acts" }));
    this.#box.lastElementChild?.append(this.#stepper(-1), this.#stepper(1), close);
    this.#box.addEventListener("keydown", (event) => this.#keys(event));
    desk.addEventListener("light", this.#light);
    desk.store.addEventListener("runs", this.#runs);
    desk.view.addEventListener("change", this.#changed);
    this.timer = setInterval(() => this.#tell(), REFRESH);
    this.#shield(true);
    board.append(this.#box);
    this.#box.focus();
  }

  /** @param {1 | -1} by */
  #stepper(by) {
    const button = action("next", by > 0 ? "Next panel (→)" : "Previous panel (←)", "");
    if (by < 0) button.firstElementChild?.classList.add("flip");
    button.onclick = () => this.#step(by);
    return button;
  }

  /** @param {"name" | "last" | "min" | "max"} column */
  #head(column) {
    const button = h("button", { class: "sort-by", type: "button" }, HEADS[column]);
    button.onclick = () => {
      this.#down = this.#by === column ? !this.#down : column !== "name";
      this.#by = column;
      this.#tell();
    };
    const right = column === "name" ? "" : "right";
    return h("th", { class: right, scope: "col", "data-column": column }, button);
  }

  /** Show a panel. @param {string} key */
  show(key) {
    if (this.#panel?.key === key) return;
    this.#drop();
    const panel = new TlPanel();
    panel.key = key;
    panel.desk = this.desk;
    this.#panel = panel;
    this.#told = "";
    this.#box.setAttribute("aria-label", `${key}, full screen`);
    const title = h("h2", { class: "visually-hidden" }, key);
    this.#box.firstElementChild?.replaceChildren(title, panel);
    panel.wake();
  }

  #drop() {
    this.#panel?.sleep();
    this.#panel?.reset();
    this.#panel?.remove();
  }

  #light = () => this.#panel?.light();
  #runs = () => {
    this.#panel?.want();
    this.#panel?.refresh();
  };
  #changed = (/** @type {Event} */ event) => {
    const names = /** @type {CustomEvent<Set<string>>} */ (event).detail;
    if (names.has("x")) this.#panel?.reset();
    if (names.has("log")) this.#panel?.clearLog();
    if (names.has("show")) this.#panel?.want();
    this.#panel?.rescale();
  };

  /** What is underneath cannot be reached meanwhile. @param {boolean} on */
  #shield(on) {
    const others = document.querySelectorAll(".top, .rail, tl-runs, .run-hero, tl-board > *");
    for (const other of others) other.toggleAttribute("inert", on && other !== this.#box);
  }

  /** Write the table, if it changed. */
  #tell() {
    const lines = this.#panel?.lines.lines ?? [];
    const rows = byColumn(lines.map(summary), this.#by, this.#down);
    const told = JSON.stringify([rows, this.#by, this.#down]);
    if (told === this.#told) return;
    this.#told = told;
    const looks = new Map(lines.map((line) => [line.run, line.look]));
    this.#legend.replaceChildren(
      ...rows.map(({ run, name, last, min, max }) => {
        const look = /** @type {import("tidelog/chart/model").Line["look"]} */ (looks.get(run));
        const label = h("span", { class: "run-name" }, swatch(look), name);
        const cells = [last, min, max].map((v) => h("td", { class: "right" }, number(v)));
        const row = h("tr", {}, h("td", {}, label), ...cells);
        row.onpointerenter = () => this.desk.light(run);
        row.onpointerleave = () => this.desk.light("");
        return row;
      }),
    );
    for (const head of this.#box.querySelectorAll("th")) {
      const own = head.dataset.column === this.#by;
      head.setAttribute("aria-sort", own ? (this.#down ? "descending" : "ascending") : "none");
      const button = /** @type {HTMLElement} */ (head.firstElementChild);
      if (own) button.dataset.order = this.#down ? "down" : "up";
      else delete button.dataset.order;
    }
  }

  /** @param {KeyboardEvent} event */
  #keys(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.defaultPrevented) return;
    if (event.key === "Escape") this.#leave();
    else if (by) this.#step(by);
    else return;
    event.preventDefault();
  }

  /** The next or previous panel of the section. @param {number} by */
  #step(by) {
    const now = this.board.panels.find(({ key }) => key === this.#panel?.key);
    const all = this.board.panels.filter(
      (panel) => panel.parentElement === now?.parentElement && !panel.hidden,
    );
    if (!now || !all.length) return;
    const next = all[(all.indexOf(now) + by + all.length) % all.length];
    this.desk.view.set({ panel: next.key });
  }

  #leave() {
    this.desk.view.set({ panel: "" });
  }

  close() {
    clearInterval(this.timer);
    this.desk.removeEventListener("light", this.#light);
    this.desk.store.removeEventListener("runs", this.#runs);
    this.desk.view.removeEventListener("change", this.#changed);
    this.#drop();
    this.#shield(false);
    this.#box.remove();
    if (this.#before instanceof HTMLElement) this.#before.focus({ preventScroll: true });
  }
}

/** @type {Full | undefined} */
let full;

/**
 * Show what the view's `panel` says: that panel over the page, or the board.
 * @param {import("tidelog/elements/board").TlBoard} board
 * @param {import("tidelog/data/desk").Desk} desk
 */
export function fill(board, desk) {
  const key = desk.view.now.panel;
  if (key && desk.store.keys.has(key)) {
    full ??= new Full(board, desk);
    full.show(key);
  } else {
    full?.close();
    full = undefined;
  }
}
