import { find, h, icon } from "tidelog/dom";
import { TlPanel } from "tidelog/elements/panel";
import { Tip } from "tidelog/elements/tip";
import { filter } from "tidelog/filter";
import { sectionOf, sections } from "tidelog/sections";

/**
 * Sections of panels, one for each metric, with the tools above them.
 *
 *     <tl-board> …tools of ui/board.html… <div class="sections"></div> </tl-board>
 */
export class TlBoard extends HTMLElement {
  /** @type {import("tidelog/data/desk").Desk | undefined} */
  #desk;
  /** @type {Map<string, Section>} */
  #sections = new Map();
  /** @type {Map<string, import("tidelog/elements/panel").TlPanel>} */
  #panels = new Map();
  #tip = new Tip();
  /** @type {IntersectionObserver | undefined} */
  #watch;

  /** @param {import("tidelog/data/desk").Desk} desk @param {string} main the main metric */
  start(desk, main) {
    this.#desk = desk;
    const space = find(this, ".sections");
    const root = getComputedStyle(space).overflowY === "visible" ? null : space;
    this.#watch = new IntersectionObserver((seen) => this.#seen(seen), {
      root,
      rootMargin: "100% 0px",
    });
    for (const [name, keys] of sections(desk.store.keys, main)) this.#add(name, keys);
    this.#wire(desk);
    this.#filter();
    this.#empty();
    if (desk.view.now.panel) this.#fill();
  }

  /** Let the panel that the address names fill the screen, or return from it. */
  async #fill() {
    const { fill } = await import("tidelog/elements/full");
    fill(this, /** @type {import("tidelog/data/desk").Desk} */ (this.#desk));
  }

  get panels() {
    return [...this.#panels.values()];
  }

  /** @param {string} name @param {string[]} keys */
  #add(name, keys) {
    const desk = /** @type {import("tidelog/data/desk").Desk} */ (this.#desk);
    let section = this.#sections.get(name);
    if (!section) {
      section = new Section(name, desk.view);
      this.#sections.set(name, section);
      this.#insert(name, section);
    }
    for (const key of keys) {
      const panel = new TlPanel();
      panel.key = key;
      panel.desk = desk;
      this.#panels.set(key, panel);
      section.grid.append(panel);
      this.#watch?.observe(panel);
    }
  }

  /** A new section goes before `system`, so that nothing that is on screen moves far. */
  /** @param {string} name @param {Section} section */
  #insert(name, section) {
    const last = name === "system" ? null : (this.#sections.get("system")?.element ?? null);
    find(this, ".sections").insertBefore(section.element, last);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const panel = /** @type {import("tidelog/elements/panel").TlPanel} */ (target);
      if (isIntersecting) panel.wake();
      else panel.sleep();
    }
  }

  /** @param {import("tidelog/data/desk").Desk} desk */
  #wire(desk) {
    const { store, view } = desk;
    store.addEventListener("keys", (event) =>
      this.#learn(/** @type {CustomEvent} */ (event).detail),
    );
    store.addEventListener("runs", () => this.#runs());
    view.addEventListener("change", (event) =>
      this.#changed(/** @type {CustomEvent} */ (event).detail),
    );
    desk.addEventListener("light", () => this.#each((panel) => panel.light()));
    desk.addEventListener("cross", (event) =>
      this.#cross(/** @type {CustomEvent} */ (event).detail),
    );
    this.addEventListener("tl-point", (event) => this.#point(/** @type {CustomEvent} */ (event)));
    this.addEventListener("tl-pin", () => this.#pin());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#tip.unpin());
    find(this, ".sections").addEventListener("scroll", () => this.#tip.unpin(), { passive: true });
  }

  /** @param {(panel: import("tidelog/elements/panel").TlPanel) => void} act */
  #each(act) {
    for (const panel of this.#panels.values()) if (panel.awake) act(panel);
  }

  /** @param {string[]} keys logged for the first time */
  #learn(keys) {
    for (const key of keys) if (!this.#panels.has(key)) this.#add(sectionOf(key), [key]);
    this.#filter();
    this.#empty();
  }

  /** Runs came, went or changed state: read the new ones, repaint the ends of the others. */
  #runs() {
    this.#each((panel) => {
      panel.want();
      panel.refresh();
    });
    this.#empty();
  }

  /** @param {Set<string>} names */
  #changed(names) {
    const has = (/** @type {string[]} */ ...any) => any.some((name) => names.has(name));
    if (has("x")) for (const panel of this.#panels.values()) panel.reset();
    if (has("log")) for (const panel of this.#panels.values()) panel.clearLog();
    if (has("show")) this.#runs();
    if (has("xr", "sync")) this.#each((panel) => panel.rescale());
    else if (has("x", "sm", "smk", "log", "out")) this.#each((panel) => panel.refresh());
    if (has("m", "mre")) this.#filter();
    if (has("panel")) this.#fill();
    if (has("shut")) for (const section of this.#sections.values()) section.fold();
  }

  #filter() {
    const { m, mre } = /** @type {import("tidelog/data/desk").Desk} */ (this.#desk).view.now;
    const wanted = filter(m, mre);
    for (const panel of this.#panels.values()) panel.hidden = !wanted.test(panel.key);
    for (const section of this.#sections.values()) section.count();
    this.dispatchEvent(new CustomEvent("tl-fault", { detail: wanted.fault }));
  }

  #empty() {
    const note = this.querySelector(".board-empty");
    if (note) /** @type {HTMLElement} */ (note).hidden = this.#panels.size > 0;
  }

  /** @param {CustomEvent} event */
  #point({ target, detail }) {
    const desk = /** @type {import("tidelog/data/desk").Desk} */ (this.#desk);
    const lines = /** @type {import("tidelog/elements/lines").TlLines} */ (target);
    for (const panel of this.#panels.values()) {
      panel.classList.toggle("pointed", Boolean(detail) && panel.lines === lines);
    }
    if (this.#tip.pinned) return;
    this.#tip.show(lines, desk.view.now.x, detail);
    desk.light(detail?.run ?? "");
    desk.point(detail?.x ?? null, lines);
  }

  #pin() {
    this.#tip.pin();
  }

  /** @param {{ x: number | null, source: EventTarget }} cross */
  #cross({ x, source }) {
    this.#each((panel) => panel.lines !== source && panel.lines.follow(x));
  }
}

/** A head that folds, and a grid of panels. */
class Section {
  element = h("section", { class: "section" });
  grid = h("div", { class: "panels" });
  #count = h("span", { class: "count" });
  #fold = h("button", { class: "fold", type: "button" });

  /** @param {string} name @param {import("tidelog/data/view").ViewState} view */
  constructor(name, view) {
    this.name = name;
    this.view = view;
    this.#fold.append(icon("chevron"), name, this.#count);
    this.#fold.onclick = () => this.#toggle();
    this.element.append(h("h2", {}, this.#fold), this.grid);
    this.fold();
  }

  get #shut() {
    return this.view.now.shut.includes(this.name);
  }

  #toggle() {
    const others = this.view.now.shut.filter((name) => name !== this.name);
    this.view.set({ shut: this.#shut ? others : [...others, this.name] });
  }

  fold() {
    this.grid.hidden = this.#shut;
    this.#fold.setAttribute("aria-expanded", String(!this.#shut));
  }

  count() {
    const panels = [...this.grid.children];
    const shown = panels.filter((panel) => !(/** @type {HTMLElement} */ (panel).hidden)).length;
    this.#count.textContent = shown === panels.length ? `${shown}` : `${shown} of ${panels.length}`;
    this.element.hidden = shown === 0;
    this.grid.classList.toggle("alone", shown === 1);
  }
}

customElements.define("tl-board", TlBoard);
