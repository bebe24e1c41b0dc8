import { MOST } from "tidelog/data/desk";
import { runtime, shownState } from "tidelog/data/store";
import { find, h } from "tidelog/dom";
import { wireGrab } from "tidelog/elements/grab";
import { fillLooks, fillNumbers, runRow } from "tidelog/elements/run-row";
import { filter, haystack } from "tidelog/filter";
import { duration, grouped, number } from "tidelog/format";
import { slice, sorted } from "tidelog/order";
import { Pace, paint } from "tidelog/paint";

/** The head of the columns, which stays while the rows scroll under it. */
const HEAD = 26;

/**
 * The list of runs: what they are worth, and which are drawn. Rows are made for what is in
 * view, so ten thousand runs scroll like ten. The server draws the first rows; this takes over.
 */
export class TlRuns extends HTMLElement {
  /** @type {import("tidelog/data/desk").Desk | undefined} */
  #given;
  /** @type {import("tidelog/data/store").Run[]} in the order shown */
  #rows = [];
  /** @type {Map<string, HTMLElement>} */
  #made = new Map();
  #main = "";
  #lower = false;
  #cursor = "";
  #best = Number.NaN;
  #list = this;
  #space = h("div", { class: "run-space" });
  #pace = new Pace(() => this.#update(), 500);
  #news = new Pace(() => this.#arrange(false), 500);
  /** @type {Map<string, number>} where each run's row is */
  #places = new Map();

  /**
   * @param {import("tidelog/data/desk").Desk} desk
   * @param {{ key: string, lower: boolean }} main the project's main metric
   */
  start(desk, main) {
    this.#given = desk;
    this.#main = main.key;
    this.#lower = main.lower;
    this.#list = find(this, ".run-list");
    for (const row of this.#list.querySelectorAll(".run-row")) row.remove();
    this.#list.append(this.#space);
    this.#wireHead();
    this.#wireList();
    desk.store.addEventListener("runs", () => this.#news.beat());
    desk.store.addEventListener("last", () => this.#pace.beat());
    desk.addEventListener("light", () => paint(this.#space, () => this.#mark()));
    desk.view.addEventListener("change", (event) => this.#viewed(event));
    setInterval(() => this.#pace.beat(), 1000);
    this.#arrange(true);
  }

  /** @param {Event} event */
  #viewed(event) {
    const names = /** @type {CustomEvent<Set<string>>} */ (event).detail;
    if (["q", "qre", "sort"].some((name) => names.has(name))) this.#arrange(true);
    else if (names.has("show") || names.has("hl")) this.#arrange(false);
  }

  get #desk() {
    if (!this.#given) throw new Error("a run list needs its desk");
    return this.#given;
  }

  get #rowHeight() {
    return Number.parseFloat(getComputedStyle(this).getPropertyValue("--h-row")) || 28;
  }

  /**
   * Filter, order, and make the rows in view.
   * @param {boolean} resort false: rows stay where they are, however their values change
   */
  #arrange(resort) {
    const { store, view } = this.#desk;
    const wanted = filter(view.now.q, view.now.qre);
    this.#fault(wanted.fault);
    const now = Date.now() / 1000;
    const rows = [...store.runs.values()]
      .filter((run) => wanted.test(haystack(run)))
      .map((run) => {
        return { ...run, value: store.value(run, this.#main), runtime: runtime(run, now), run };
      });
    const fresh = sorted(rows, view.now.sort).map(({ run }) => run);
    this.#rows = resort ? fresh : kept(fresh, this.#places);
    this.#places = new Map(this.#rows.map(({ id }, place) => [id, place]));
    find(this, "[data-runs=resort]").hidden = this.#rows.every((run, i) => run === fresh[i]);
    this.#best = this.#bestOf(rows.map(({ value }) => value));
    this.#heads();
    this.#update();
  }

  /** @param {(number | undefined)[]} values */
  #bestOf(values) {
    const finite = values.filter((value) => value !== undefined && Number.isFinite(value));
    if (finite.length < 2) return Number.NaN;
    return this.#lower
      ? Math.min(.../** @type {number[]} */ (finite))
      : Math.max(.../** @type {number[]} */ (finite));
  }

  /** @param {string} text */
  #fault(text) {
    find(this, "[data-runs=fault]").textContent = text;
    find(this, "[data-runs=filter]").setAttribute("aria-invalid", String(Boolean(text)));
  }

  #heads() {
    const { store, view } = this.#desk;
    const shown = this.#desk.shown().length;
    const running = [...store.runs.values()].filter(({ state }) => state === "running").length;
    find(this, "[data-runs=count]").textContent = `${shown} shown of ${grouped(store.count)}`;
    const badge = find(this, "[data-runs=running]");
    badge.hidden = running === 0;
    badge.textContent = `${running} running`;
    for (const head of this.querySelectorAll(".sort-by")) {
      const own = /** @type {HTMLElement} */ (head).dataset.by;
      const order = view.now.sort === own ? "up" : view.now.sort === `-${own}` ? "down" : "";
      if (order) head.setAttribute("data-order", order);
      else head.removeAttribute("data-order");
      head.parentElement?.setAttribute(
        "aria-sort",
        order ? `${order === "up" ? "a" : "de"}scending` : "none",
      );
    }
  }

  /** Make, move and fill the rows in view. */
  #update() {
    const height = this.#rowHeight;
    const list = this.#list;
    this.#space.style.setProperty("height", `${this.#rows.length * height}px`);
    list.setAttribute("aria-rowcount", String(this.#rows.length));
    const [from, to] = slice(list.scrollTop, list.clientHeight, height, this.#rows.length);
    const shown = new Set(this.#desk.shown().map(({ id }) => id));
    const keep = new Set();
    for (let i = from; i < to; i++) {
      const run = this.#rows[i];
      const row = this.#made.get(run.id) ?? this.#make(run);
      keep.add(run.id);
      this.#fill(row, run, shown.has(run.id));
      row.style.setProperty("transform", `translateY(${i * height}px)`);
      row.setAttribute("aria-rowindex", String(i + 1));
    }
    for (const [id, row] of this.#made) if (!keep.has(id)) this.#drop(id, row);
    this.#foot(list.scrollTop, height);
    this.#empty();
    this.#mark();
  }

  /** @param {string} id @param {HTMLElement} row */
  #drop(id, row) {
    row.remove();
    this.#made.delete(id);
  }

  /** @param {import("tidelog/data/store").Run} run */
  #make(run) {
    const row = runRow(run);
    this.#made.set(run.id, row);
    this.#space.append(row);
    return row;
  }

  /** @param {HTMLElement} row @param {import("tidelog/data/store").Run} run @param {boolean} shown */
  #fill(row, run, shown) {
    const now = Date.now() / 1000;
    const value = this.#desk.store.value(run, this.#main);
    fillLooks(row, run, this.#desk.look(run), shown, shownState(run, now));
    const best = value !== undefined && value === this.#best;
    fillNumbers(row, this.#main ? number(value) : "", best, duration(runtime(run, now), true));
  }

  /** @param {number} top @param {number} height */
  #foot(top, height) {
    const count = this.#rows.length;
    const first = count ? Math.floor(top / height) + 1 : 0;
    const last = Math.min(count, Math.floor((top + this.#list.clientHeight - HEAD) / height));
    find(this, "[data-runs=range]").textContent =
      `${first}–${Math.max(first, last)} of ${grouped(count)}`;
  }

  #empty() {
    const note = find(this, ".runs-empty");
    const { q } = this.#desk.view.now;
    const all = this.#desk.store.runs.size;
    note.hidden = this.#rows.length > 0;
    this.#list.hidden = !note.hidden;
    if (this.#rows.length) return;
    const clear = h("button", { class: "linklike", type: "button" }, "Clear filter");
    clear.onclick = () => this.#desk.view.set({ q: "" });
    if (all)
      note.replaceChildren(`No run matches ${q}. ${all} runs are hidden by the filter. `, clear);
    else note.replaceChildren("No runs yet.");
  }

  /** The lit row, and the one the keyboard is on. */
  #mark() {
    const { lit } = this.#desk;
    for (const [id, row] of this.#made) {
      row.classList.toggle("lit", id === lit);
      row.classList.toggle("cursor", id === this.#cursor);
      row.setAttribute("aria-selected", String(id === lit));
    }
    if (this.#made.has(this.#cursor))
      this.#list.setAttribute("aria-activedescendant", `row-${this.#cursor}`);
    else this.#list.removeAttribute("aria-activedescendant");
  }

  #wireHead() {
    const { view } = this.#desk;
    const field = /** @type {HTMLInputElement} */ (find(this, "[data-runs=filter]"));
    const regex = find(this, "[data-runs=regex]");
    const mirror = () => {
      if (document.activeElement !== field) field.value = view.now.q;
      regex.setAttribute("aria-pressed", String(view.now.qre));
    };
    field.oninput = () => view.set({ q: field.value });
    regex.onclick = () => view.set({ qre: !view.now.qre });
    find(this, "[data-runs=resort]").onclick = () => this.#arrange(true);
    find(this, "[data-runs=running]").onclick = () => view.set({ q: "running" });
    view.addEventListener("change", mirror);
    mirror();
    this.addEventListener("click", (event) => this.#clicked(event));
    wireGrab(this, find(this, ".grab"));
  }

  #wireList() {
    const list = this.#list;
    list.addEventListener("scroll", () => paint(this, () => this.#update()), { passive: true });
    list.addEventListener("pointerover", (event) => this.#desk.light(runOf(event)));
    list.addEventListener("pointerleave", () => this.#desk.light(""));
    list.addEventListener("keydown", (event) => this.#keys(event));
    new ResizeObserver(() => this.#update()).observe(list);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const by = /** @type {HTMLElement | null} */ (target.closest("[data-by]"))?.dataset.by;
    const act = /** @type {HTMLElement | null} */ (target.closest("[data-show]"))?.dataset.show;
    const page = /** @type {HTMLElement | null} */ (target.closest("[data-page]"))?.dataset.page;
    const run = runOf(event);
    if (by) this.#sort(by);
    else if (act) this.#showMany(act);
    else if (page) this.#list.scrollBy({ top: Number(page) * this.#list.clientHeight });
    else if (run && target.closest(".eye")) this.#eye(run, event.altKey);
    else if (run && !target.closest("a"))
      this.#desk.view.set({ hl: this.#desk.view.now.hl === run ? "" : run });
    if (run) this.#desk.light(run);
  }

  /** @param {string} by "name" sorts by it, and the other way round the second time; "-name" as said */
  #sort(by) {
    const { sort } = this.#desk.view.now;
    const plain = by.replace(/^-/, "");
    const natural =
      by === "name" || by === "state" || (by === "value" && this.#lower) ? plain : `-${plain}`;
    const turned = natural.startsWith("-") ? plain : `-${plain}`;
    this.#desk.view.set({ sort: sort === natural ? turned : natural });
  }

  /** @param {string} which */
  #showMany(which) {
    const running = this.#rows.filter(({ state }) => state === "running");
    const some = {
      first: this.#rows.slice(0, 10),
      all: this.#rows.slice(0, MOST),
      none: [],
      running,
    }[which];
    this.#desk.show((some ?? []).map(({ id }) => id));
    /** @type {HTMLElement | null} */ (this.querySelector("#eye-menu"))?.hidePopover();
  }

  /** @param {string} run @param {boolean} only */
  #eye(run, only) {
    if (only) this.#desk.show([run]);
    else if (!this.#desk.toggle(run))
      this.#fault(`${MOST} runs at most are drawn. Hide some to show others.`);
  }

  /** Keys of the list: arrows, J and K, V, Enter, Home and End. @param {KeyboardEvent} event */
  #keys(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -this.#rows.length, End: this.#rows.length }[
      event.key
    ];
    if (by) {
      event.preventDefault();
      this.move(by);
    } else if (event.key === "Enter" && this.#cursor) {
      find(/** @type {HTMLElement} */ (this.#made.get(this.#cursor)), "a").click();
    }
  }

  /** Move the keyboard's row and light its run. @param {number} by */
  move(by) {
    if (!this.#rows.length) return;
    const at = this.#rows.findIndex(({ id }) => id === this.#cursor);
    const start = at < 0 && by > 0 ? -1 : Math.max(0, at);
    const next = Math.min(this.#rows.length - 1, Math.max(0, start + by));
    this.#cursor = this.#rows[next].id;
    const height = this.#rowHeight;
    const { scrollTop } = this.#list;
    const clientHeight = this.#list.clientHeight - HEAD;
    if (next * height < scrollTop) this.#list.scrollTop = next * height;
    else if ((next + 1) * height > scrollTop + clientHeight)
      this.#list.scrollTop = (next + 1) * height - clientHeight;
    this.#update();
    this.#desk.light(this.#cursor);
  }

  /** Show or hide the keyboard's row, or show only it. @param {boolean} only */
  toggleCursor(only) {
    if (this.#cursor) this.#eye(this.#cursor, only);
  }
}

/**
 * Rows in the places they had; those that had none come first, in their order.
 * @template {{ id: string }} T
 * @param {T[]} rows
 * @param {Map<string, number>} places
 */
function kept(rows, places) {
  const place = (/** @type {T} */ row) => places.get(row.id) ?? -1;
  return [...rows].sort((a, b) => place(a) - place(b));
}

/** @param {Event} event */
function runOf(event) {
  const row = /** @type {HTMLElement | null} */ (
    /** @type {Element} */ (event.target).closest(".run-row")
  );
  return row?.dataset.run ?? "";
}

customElements.define("tl-runs", TlRuns);
