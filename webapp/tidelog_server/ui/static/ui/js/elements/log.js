import { plain } from "tidelog/ansi";
import { LogLines } from "tidelog/data/loglines";
import { find, h } from "tidelog/dom";
import { logLine } from "tidelog/elements/log-line";
import { filter } from "tidelog/filter";
import { grouped } from "tidelog/format";
import { serious } from "tidelog/levels";
import { paint } from "tidelog/paint";
import { lineAt, offsets } from "tidelog/wrap";

const ROW = 20;
const TAIL = 2000;
const GUTTER = 64 + 24 + 4;
const TIMES = 76;
const TYPING = 250;

/**
 * A run's console: only the lines in view exist. At the end it follows what is written;
 * scrolled away it stays, and a pill tells how many lines came since.
 *
 *     <tl-log src="/api/…/logs" running> …tools… <div class="log-view"></div> </tl-log>
 */
export class TlLog extends HTMLElement {
  #source = new LogLines("");
  #space = h("div", { class: "log-space" });
  #view = this;
  #pill = this;
  /** @type {Float64Array} */
  #offsets = new Float64Array(1);
  #follow = true;
  #missed = 0;
  #target = -1;
  /** @type {number[]} lines that match the search */
  #hits = [];
  #hit = -1;
  #query = filter("", false);
  /** What the hits are the hits of. */
  #searched = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  /** @type {import("tidelog/levels").Level} */
  #level = "all";
  /** @type {number[] | null} the lines shown; null: all of them */
  #kept = null;
  /** @type {import("tidelog/elements/log-line").Times} */
  #times = "off";
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    this.#source = new LogLines(this.getAttribute("src") ?? "");
    this.#view = find(this, ".log-view");
    this.#pill = find(this, ".pill");
    this.#view.append(this.#space);
    this.#wire();
    this.#begin();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  async #begin() {
    this.#target = Number(location.hash.match(/^#L(\d+)$/)?.[1] ?? 0) - 1;
    this.#follow = this.#target < 0;
    await this.#tail();
    if (this.#target >= 0) this.#reveal(this.#target);
    this.#timer = setInterval(() => this.hasAttribute("running") && this.#tail(), TAIL);
  }

  /** The run ended: read its last lines, then rest. */
  async end() {
    this.removeAttribute("running");
    await this.#tail();
  }

  async #tail() {
    try {
      const fresh = await this.#source.tail();
      if (!this.#follow) this.#missed += fresh;
      this.#say("");
    } catch (error) {
      this.#say(`Could not load the log. ${/** @type {Error} */ (error).message}`);
    }
    this.#keep();
    this.#layout();
  }

  /** Choose the lines that are serious enough. */
  #keep() {
    if (this.#level === "all") this.#kept = null;
    else {
      const known = [...this.#source.lines.values()].sort((a, b) => a.number - b.number);
      this.#kept = known
        .filter(({ text, fd }) => serious(this.#level, plain(text), fd))
        .map(({ number }) => number);
      this.#say(this.#kept.length ? "" : "No line is that serious.");
    }
  }

  /** How many lines are shown. */
  get #count() {
    return this.#kept?.length ?? this.#source.total;
  }

  /** The line in a place. @param {number} place */
  #lineIn(place) {
    return this.#kept ? this.#kept[place] : place;
  }

  /** Where a line is, or the next one that is shown. @param {number} line */
  #placeOf(line) {
    if (!this.#kept) return Math.min(line, this.#source.total);
    const place = this.#kept.findIndex((kept) => kept >= line);
    return place < 0 ? this.#kept.length : place;
  }

  /** @param {string} text */
  #say(text) {
    const empty = !text && this.#source.total === 0;
    const note = find(this, "[data-log=note]");
    note.textContent = empty ? "Nothing has been printed yet." : text;
    note.hidden = !note.textContent;
  }

  get #wrap() {
    return this.#view.classList.contains("wrap");
  }

  #layout() {
    const columns = this.#wrap
      ? Math.max(20, Math.floor((this.#view.clientWidth - this.#gutter) / this.#glyph()))
      : 0;
    const length = (/** @type {number} */ place) =>
      plain(this.#source.lines.get(this.#lineIn(place))?.text ?? "").length;
    this.#offsets = offsets(this.#count, length, columns);
    this.#space.style.setProperty("height", `${(this.#offsets.at(-1) ?? 0) * ROW + ROW}px`);
    if (this.#follow) this.#view.scrollTop = this.#view.scrollHeight;
    this.#draw();
  }

  get #gutter() {
    return GUTTER + (this.#times === "off" ? 0 : TIMES);
  }

  /** The width of a character. */
  #glyph() {
    const probe = h("span", { class: "t" }, "0".repeat(50));
    this.#space.append(probe);
    const width = probe.getBoundingClientRect().width / 50;
    probe.remove();
    return width || 7.2;
  }

  #draw() {
    const { scrollTop, clientHeight } = this.#view;
    const from = Math.max(0, lineAt(this.#offsets, scrollTop / ROW) - 10);
    const to = Math.min(this.#count, lineAt(this.#offsets, (scrollTop + clientHeight) / ROW) + 12);
    const made = [];
    for (let place = from; place < to; place++) made.push(this.#line(place));
    this.#space.replaceChildren(...made);
    this.#pill.hidden = this.#follow || !this.#missed;
    this.#pill.textContent = `${grouped(this.#missed)} new ${this.#missed === 1 ? "line" : "lines"}`;
    const total = `${grouped(this.#source.total)} lines`;
    find(this, "[data-log=count]").textContent = this.#kept
      ? `${grouped(this.#count)} of ${total}`
      : total;
    if (!this.#kept) this.#fetch(from, to);
  }

  /** @param {number} from @param {number} to */
  async #fetch(from, to) {
    if (from < to && (await this.#source.ensure(from, to).catch(() => false))) this.#layout();
  }

  /** @param {number} place */
  #line(place) {
    const at = this.#lineIn(place);
    const began = Number(this.getAttribute("began"));
    const row = logLine(at, this.#source.lines.get(at), this.#times, began);
    row.classList.toggle("target", at === this.#target);
    row.classList.toggle("hit", at === this.#hits[this.#hit]);
    row.style.setProperty("transform", `translateY(${this.#offsets[place] * ROW}px)`);
    return row;
  }

  #wire() {
    const field = /** @type {HTMLInputElement} */ (find(this, "[data-log=search]"));
    const wrap = find(this, "[data-log=wrap]");
    this.#view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#pill.onclick = () => this.toEnd();
    const levels = /** @type {HTMLSelectElement} */ (find(this, "[data-log=level]"));
    const times = /** @type {HTMLSelectElement} */ (find(this, "[data-log=times]"));
    field.oninput = () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#search(field.value), TYPING);
    };
    levels.onchange = () => this.#choose(/** @type {any} */ (levels.value));
    times.onchange = () => {
      this.#times = /** @type {any} */ (times.value);
      this.#view.classList.toggle("timed", this.#times !== "off");
      this.#layout();
    };
    field.onkeydown = (event) =>
      event.key === "Enter" && this.#step(event.shiftKey ? -1 : 1, field.value);
    find(this, "[data-log=next]").onclick = () => this.#step(1, field.value);
    find(this, "[data-log=previous]").onclick = () => this.#step(-1, field.value);
    find(this, "[data-log=end]").onclick = () => this.toEnd();
    wrap.onclick = () => {
      wrap.setAttribute("aria-pressed", String(this.#view.classList.toggle("wrap")));
      this.#layout();
    };
    addEventListener("hashchange", () => this.#linked());
    new ResizeObserver(() => this.#layout()).observe(this.#view);
  }

  #linked() {
    const line = Number(location.hash.match(/^#L(\d+)$/)?.[1] ?? 0) - 1;
    this.#target = line;
    if (line >= 0) this.#reveal(line);
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#view;
    this.#follow = scrollTop + clientHeight >= scrollHeight - ROW * 1.5;
    if (this.#follow) this.#missed = 0;
    paint(this, () => this.#draw());
  }

  toEnd() {
    this.#follow = true;
    this.#missed = 0;
    this.#layout();
  }

  /** @param {number} line */
  #reveal(line) {
    this.#follow = false;
    const top = (this.#offsets[this.#placeOf(line)] ?? 0) * ROW;
    this.#view.scrollTop = Math.max(0, top - this.#view.clientHeight / 3);
    this.#draw();
  }

  /** @param {import("tidelog/levels").Level} level */
  async #choose(level) {
    this.#level = level;
    this.#searched = "";
    this.#hits = [];
    if (level !== "all") await this.#source.all();
    this.#say("");
    this.#keep();
    this.#layout();
  }

  /** @param {string} pattern */
  async #search(pattern) {
    if (pattern === this.#searched) return;
    this.#searched = pattern;
    this.#query = filter(pattern, true);
    this.#hits = [];
    this.#hit = -1;
    if (pattern && !this.#query.fault) {
      await this.#source.all();
      for (let place = 0; place < this.#count; place++) {
        const at = this.#lineIn(place);
        if (this.#query.test(plain(this.#source.lines.get(at)?.text ?? ""))) this.#hits.push(at);
      }
    }
    this.#found(pattern);
  }

  /** @param {string} pattern */
  #found(pattern) {
    const many = grouped(this.#hits.length);
    const all = many === "1" ? "1 match" : `${many} matches`;
    const place = this.#hit < 0 ? all : `${this.#hit + 1} of ${many}`;
    find(this, "[data-log=found]").textContent =
      this.#query.fault || (pattern ? (this.#hits.length ? place : "No match") : "");
    this.#draw();
  }

  /** @param {number} by @param {string} pattern */
  async #step(by, pattern) {
    await this.#search(pattern);
    const { length } = this.#hits;
    if (!length) return;
    const from = this.#hit < 0 && by < 0 ? 0 : this.#hit;
    this.#hit = (from + by + length) % length;
    this.#reveal(this.#hits[this.#hit]);
    this.#found(pattern);
  }
}

customElements.define("tl-log", TlLog);
