import { plain, spans } from "tidelog/ansi";
import { LogLines } from "tidelog/data/loglines";
import { find, h } from "tidelog/dom";
import { filter } from "tidelog/filter";
import { clock, grouped } from "tidelog/format";
import { paint } from "tidelog/paint";
import { lineAt, offsets } from "tidelog/wrap";

const ROW = 20;
const TAIL = 2000;
const GUTTER = 64 + 24 + 4;

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
    this.#layout();
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
      ? Math.max(20, Math.floor((this.#view.clientWidth - GUTTER) / this.#glyph()))
      : 0;
    const length = (/** @type {number} */ at) =>
      plain(this.#source.lines.get(at)?.text ?? "").length;
    this.#offsets = offsets(this.#source.total, length, columns);
    this.#space.style.setProperty("height", `${(this.#offsets.at(-1) ?? 0) * ROW + ROW}px`);
    if (this.#follow) this.#view.scrollTop = this.#view.scrollHeight;
    this.#draw();
  }

  /** The width of a character, measured once. */
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
    const to = Math.min(
      this.#source.total,
      lineAt(this.#offsets, (scrollTop + clientHeight) / ROW) + 12,
    );
    const made = [];
    for (let at = from; at < to; at++) made.push(this.#line(at));
    this.#space.replaceChildren(...made);
    this.#pill.hidden = this.#follow || !this.#missed;
    this.#pill.textContent = `${grouped(this.#missed)} new ${this.#missed === 1 ? "line" : "lines"}`;
    find(this, "[data-log=count]").textContent = `${grouped(this.#source.total)} lines`;
    this.#fetch(from, to);
  }

  /** @param {number} from @param {number} to */
  async #fetch(from, to) {
    if (from < to && (await this.#source.ensure(from, to).catch(() => false))) this.#layout();
  }

  /** @param {number} at */
  #line(at) {
    const line = this.#source.lines.get(at);
    const text = h("span", { class: "t" });
    for (const part of spans(line?.text ?? "")) {
      text.append(h("span", { class: part.classes.join(" ") || undefined }, part.text));
    }
    const title = line ? clock(line.time) : "";
    const number = h("a", { class: "n", href: `#L${at + 1}`, title }, String(at + 1));
    const row = h("div", { class: "log-line" }, number, text);
    row.classList.toggle("err", line?.fd === 2);
    row.classList.toggle("target", at === this.#target);
    row.classList.toggle("hit", at === this.#hits[this.#hit]);
    row.style.setProperty("transform", `translateY(${this.#offsets[at] * ROW}px)`);
    return row;
  }

  #wire() {
    const field = /** @type {HTMLInputElement} */ (find(this, "[data-log=search]"));
    const wrap = find(this, "[data-log=wrap]");
    this.#view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#pill.onclick = () => this.toEnd();
    field.onchange = () => this.#search(field.value);
    field.onkeydown = (event) =>
      event.key === "Enter" && this.#step(event.shiftKey ? -1 : 1, field.value);
    find(this, "[data-log=next]").onclick = () => this.#step(1, field.value);
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
    const top = (this.#offsets[Math.min(line, this.#source.total)] ?? 0) * ROW;
    this.#view.scrollTop = Math.max(0, top - this.#view.clientHeight / 3);
    this.#draw();
  }

  /** @param {string} pattern */
  async #search(pattern) {
    this.#query = filter(pattern, true);
    this.#hits = [];
    this.#hit = -1;
    if (pattern && !this.#query.fault) {
      await this.#source.all();
      for (let at = 0; at < this.#source.total; at++) {
        if (this.#query.test(plain(this.#source.lines.get(at)?.text ?? ""))) this.#hits.push(at);
      }
    }
    this.#found(pattern);
  }

  /** @param {string} pattern */
  #found(pattern) {
    const place = this.#hits.length
      ? `${this.#hit + 1} of ${grouped(this.#hits.length)}`
      : "No match";
    find(this, "[data-log=found]").textContent = this.#query.fault || (pattern ? place : "");
    this.#draw();
  }

  /** @param {number} by @param {string} pattern */
  async #step(by, pattern) {
    if (!this.#hits.length) await this.#search(pattern);
    if (!this.#hits.length) return;
    this.#hit = (this.#hit + by + this.#hits.length) % this.#hits.length;
    this.#reveal(this.#hits[this.#hit]);
    this.#found(pattern);
  }
}

customElements.define("tl-log", TlLog);
