import { span } from "tidelog/chart/model";
import { ChartData } from "tidelog/data/chart";
import { h } from "tidelog/dom";
import { TlLines } from "tidelog/elements/lines";
import { action, skeleton, tableOf } from "tidelog/elements/panel-parts";
import { ends, unit } from "tidelog/format";
import { Pace, paint } from "tidelog/paint";

const LIVE_GAP = 500;
const ZOOM_PAUSE = 150;

/**
 * One metric: a head and its lines. It holds data only after `wake` and canvases only until
 * `sleep`, so a board of three hundred costs what is on screen.
 */
export class TlPanel extends HTMLElement {
  key = "";
  /** @type {import("tidelog/data/desk").Desk | undefined} */
  desk;
  awake = false;

  /** @type {ChartData | undefined} */
  #data;
  /** @type {ChartData | undefined} the zoomed range, finer */
  #fine;
  /** @type {[number, number] | null} */
  #range = null;
  /** @type {boolean | null} */
  #log = null;
  #table = false;
  #lines = new TlLines();
  /** @type {HTMLElement} */
  #body = h("div", { class: "skeleton" });
  #reset = action("zoom-out", "Reset zoom", "");
  #logButton = action("log", "Log y", "quiet");
  #pace = new Pace(() => this.refresh(), LIVE_GAP);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #zooming;

  connectedCallback() {
    if (this.firstChild) return;
    this.#lines.key = this.key;
    this.append(this.#head(), this.#body);
    this.#body.append(skeleton());
    this.addEventListener("tl-zoom", (event) =>
      this.zoom(/** @type {CustomEvent} */ (event).detail),
    );
    this.addEventListener("keydown", (event) => this.#keys(event));
  }

  disconnectedCallback() {
    this.sleep();
  }

  get #needed() {
    if (!this.desk) throw new Error("a panel needs its desk");
    return this.desk;
  }

  get lines() {
    return this.#lines;
  }

  #head() {
    const [start, end] = ends(this.key);
    const title = h("h3", { title: this.key }, h("span", { class: "start" }, start), end);
    const full = action("full", "Full screen (F)", "quiet");
    const more = action("more", `More about ${this.key}`, "quiet");
    this.#reset.hidden = true;
    this.#reset.onclick = () => {
      this.#lines.clearTall();
      this.zoom(null);
    };
    this.#logButton.onclick = () => this.toggleLog();
    full.onclick = () => this.fill();
    title.ondblclick = () => this.fill();
    more.onclick = async () => (await import("tidelog/elements/panel-menu")).openMenu(this, more);
    const acts = h("div", { class: "panel-acts" }, this.#reset, this.#logButton, full, more);
    return h(
      "div",
      { class: "panel-head" },
      title,
      h("span", { class: "unit" }, unit(this.key)),
      acts,
    );
  }

  /** Come near the screen: read what is missing and paint. */
  wake() {
    if (this.awake) return;
    this.awake = true;
    this.#data ??= this.#open(null);
    this.want();
    this.refresh();
  }

  /** Leave the screen: keep the numbers, drop the canvases. */
  sleep() {
    this.awake = false;
    this.#pace.stop();
    clearTimeout(this.#zooming);
    if (this.#lines.isConnected) this.#swap(h("div", { class: "skeleton" }, skeleton()));
  }

  /** @param {[number, number] | null} range */
  #open(range) {
    const width = Math.max(120, Math.round(this.clientWidth - 60));
    const data = new ChartData(this.#needed.store.chartUrl, this.key, {
      x: this.#needed.view.now.x,
      width,
      range,
    });
    data.addEventListener("loaded", () => this.#pace.act());
    data.addEventListener("failed", () => this.refresh());
    data.addEventListener("live", () => this.awake && this.#pace.beat());
    this.#needed.store.charts.add(data);
    return data;
  }

  /** @param {ChartData | undefined} data */
  #close(data) {
    data?.close();
    if (data) this.#needed.store.charts.delete(data);
  }

  /** Fill the screen. */
  fill() {
    this.#needed.view.set({ panel: this.key });
  }

  /** Read the runs that are shown now. */
  want() {
    const runs = this.#needed.shown().map(({ id }) => id);
    this.#data?.want(runs);
    this.#fine?.want(runs);
    this.classList.toggle("busy", Boolean(this.#data?.busy && this.#data.curves.size));
  }

  /** Start over, for instance along another x. */
  reset() {
    this.#close(this.#data);
    this.#close(this.#fine);
    this.#data = undefined;
    this.#fine = undefined;
    this.#range = null;
    if (this.awake) {
      this.#data = this.#open(null);
      this.want();
    }
  }

  /** The zoom of this panel, or of all together. */
  get range() {
    const { sync, xr } = this.#needed.view.now;
    return sync ? xr : this.#range;
  }

  /** @param {[number, number] | null} range */
  zoom(range) {
    if (this.#needed.view.now.sync) this.#needed.view.set({ xr: range });
    else {
      this.#range = range;
      this.rescale();
    }
  }

  /** The zoom changed: paint what is known, ask for finer points when the hand rests. */
  rescale() {
    clearTimeout(this.#zooming);
    this.refresh();
    if (this.awake) this.#zooming = setTimeout(() => this.#refine(), ZOOM_PAUSE);
  }

  #refine() {
    this.#close(this.#fine);
    this.#fine = undefined;
    const { range } = this;
    const coarse = [...(this.#data?.curves.values() ?? [])].some(
      ({ grid }) => grid.mode === "buckets",
    );
    if (range && coarse) {
      this.#fine = this.#open(range);
      this.want();
    }
  }

  toggleLog() {
    this.#log = !this.log;
    this.refresh();
  }

  get log() {
    return this.#log ?? this.#needed.view.now.log;
  }

  /** Follow the board's setting again. */
  clearLog() {
    this.#log = null;
  }

  /** Show what is known now. */
  refresh() {
    const data = this.#data;
    if (!this.awake || !data) return;
    this.classList.toggle("busy", data.busy && data.curves.size > 0);
    this.#reset.hidden = !this.range && !this.#lines.tall;
    this.#logButton.setAttribute("aria-pressed", String(this.log));
    const lines = this.#lines_(data);
    if (data.fault && !lines.length) this.#swap(this.#failed(data.fault));
    else if (!lines.length && !data.busy) this.#swap(this.#nothing());
    else if (lines.length && this.#table)
      this.#swap(tableOf(lines, this.key, this.#needed.view.now.x));
    else if (lines.length) this.#draw(lines);
  }

  /** @param {ChartData} data @returns {import("tidelog/chart/model").Line[]} */
  #lines_(data) {
    const out = [];
    for (const run of this.#needed.shown()) {
      const fine = this.range ? this.#fine?.curves.get(run.id) : undefined;
      const curve = fine ?? data.curves.get(run.id);
      if (!curve?.length) continue;
      const { id, name, state } = run;
      out.push({ run: id, name, state, look: this.#needed.look(run), curve });
    }
    return out;
  }

  /** @param {import("tidelog/chart/model").Line[]} lines */
  #draw(lines) {
    this.#swap(this.#lines);
    const { x, sm, smk, out } = this.#needed.view.now;
    const style = { kind: x, log: this.log, method: smk, amount: sm, outliers: out };
    this.#lines.show(lines, style, this.range, this.#extent());
    this.#lines.light(this.#needed.lit);
  }

  #extent() {
    const all = [...(this.#data?.curves.values() ?? [])].map((curve) => ({ curve }));
    const [from, to] = span(/** @type {any} */ (all));
    return to - from;
  }

  /** @param {HTMLElement} body */
  #swap(body) {
    if (body === this.#body) return;
    this.#body.replaceWith(body);
    this.#body = body;
  }

  /** @param {Error} fault */
  #failed(fault) {
    const retry = h("button", { class: "btn", type: "button" }, "Retry");
    retry.onclick = () => {
      this.reset();
      this.#swap(h("div", { class: "skeleton" }, skeleton()));
    };
    const text = h("p", {}, `Could not load ${this.key}. ${fault.message}`);
    return h("div", { class: "panel-note", role: "alert" }, text, retry);
  }

  #nothing() {
    const some = this.#needed.shown().length > 0;
    const text = some ? `No shown run has logged ${this.key} yet.` : "All runs are hidden.";
    return h("p", { class: "panel-note" }, text);
  }

  toggleTable() {
    this.#table = !this.#table;
    this.refresh();
    const next = this.#table ? this.querySelector(".panel-table") : this.#lines;
    /** @type {HTMLElement | null} */ (next)?.focus();
  }

  /** @param {KeyboardEvent} event */
  #keys(event) {
    if (event.key === "f" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.fill();
    } else if (event.altKey && event.code === "KeyT") {
      event.preventDefault();
      this.toggleTable();
    }
  }

  /** Repaint with another run lit. */
  light() {
    if (this.awake && this.#lines.isConnected) {
      paint(this, () => this.#lines.light(this.#needed.lit));
    }
  }
}

customElements.define("tl-panel", TlPanel);
