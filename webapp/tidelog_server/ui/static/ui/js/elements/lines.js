import { xAxis, yAxis } from "tidelog/chart/axes";
import * as draw from "tidelog/chart/draw";
import { drawn, leavers, readings, sentence, span, tooltip, yRange } from "tidelog/chart/model";
import { say } from "tidelog/dom";
import { number, position } from "tidelog/format";
import { forget, paint } from "tidelog/paint";
import { tokens } from "tidelog/theme";
import UPlot from "uplot";

/** How near the pointer must be to a line to light it, in CSS pixels. */
const REACH = 28;
const SHIFT = 0.35;

/**
 * Lines that grow: uPlot for axes, scales and dragging, our own strokes above them.
 *
 * Give it `show(lines, style, range)`; it paints at the next frame. It tells
 * `tl-point` ({ x, y, run, at } or null) as the pointer or the arrow keys move,
 * `tl-zoom` ([from, to] or null), and `tl-pin`.
 */
export class TlLines extends HTMLElement {
  key = "";
  /** @type {import("tidelog/chart/model").Drawn[]} what is painted: the element's public data */
  lines = [];
  /** The run that stands out, "" for none. */
  lit = "";
  /** @type {[number, number]} the x range on screen */
  domain = [0, 1];

  /** @type {import("tidelog/chart/model").Line[]} */
  #given = [];
  /** @type {import("tidelog/chart/model").Style} */
  #style = { kind: "step", log: false, method: "none", amount: 0 };
  /** @type {[number, number] | null} */
  #range = null;
  /** The y zoom of this panel; null shows everything. @type {[number, number] | null} */
  #tall = null;
  /** @type {number} */
  #extent = 1;
  /** @type {UPlot | undefined} */
  #plot;
  #built = "";
  /** Whether a whole painting is due at the next frame. */
  #stale = false;
  /** @type {HTMLCanvasElement | undefined} */
  #over;
  /** @type {{ x: number, own: boolean, y: number } | null} */
  #cross = null;
  #keyRun = 0;
  #size = new ResizeObserver(() => this.#resized());
  #theme = () => this.#rebuild();

  connectedCallback() {
    this.tabIndex = 0;
    this.setAttribute("role", "figure");
    this.#size.observe(this);
    document.addEventListener("tl-theme", this.#theme);
    this.addEventListener("keydown", this.#keys);
    this.addEventListener("blur", () => this.#point(null));
  }

  disconnectedCallback() {
    this.#size.disconnect();
    document.removeEventListener("tl-theme", this.#theme);
    forget(this);
    this.#plot?.destroy();
    this.#plot = undefined;
    this.replaceChildren();
  }

  /**
   * @param {import("tidelog/chart/model").Line[]} lines
   * @param {import("tidelog/chart/model").Style} style
   * @param {[number, number] | null} range the zoom; null shows everything
   * @param {number} extent the width of the whole chart in x, which smoothing refers to
   */
  show(lines, style, range, extent) {
    this.#given = lines;
    this.#style = style;
    this.#range = range;
    this.#extent = extent;
    this.#ask();
  }

  /** @param {string} run */
  light(run) {
    if (run === this.lit) return;
    this.lit = run;
    if (!this.#stale) paint(this, () => this.#plot?.redraw(false, false));
  }

  /** The crosshair of another panel. @param {number | null} x */
  follow(x) {
    if (this.#cross?.own && x !== null) return;
    this.#cross = x === null ? null : { x, own: false, y: 0 };
    this.#crosshair();
  }

  /** Paint what is known now. */
  #ask() {
    this.#stale = true;
    paint(this, () => this.#paint());
  }

  #paint() {
    this.#stale = false;
    if (!this.isConnected || this.clientWidth < 60) return;
    const style = this.#style;
    if (this.#built !== `${style.kind} ${style.log}`) this.#build();
    const plot = /** @type {UPlot} */ (this.#plot);
    this.lines = drawn(this.#given, style, this.#extent);
    this.domain = this.#range ?? span(this.#given);
    const [low, high] = this.#tall ?? yRange(this.lines, this.domain, style);
    plot.batch(() => {
      plot.setScale("x", { min: this.domain[0], max: this.domain[1] });
      plot.setScale("y", { min: low, max: high });
      plot.redraw(false, true);
    });
    this.setAttribute("aria-label", sentence(this.key, style.kind, this.lines, number));
    this.#crosshair();
  }

  #rebuild() {
    this.#built = "";
    this.#ask();
  }

  #resized() {
    const { clientWidth: width, clientHeight: height } = this;
    if (!this.#plot || width < 60) this.#ask();
    else if (width !== this.#plot.width || height !== this.#plot.height) {
      this.#plot.setSize({ width, height });
      this.#placeOver();
      this.#ask();
    }
  }

  #build() {
    this.#plot?.destroy();
    this.replaceChildren();
    this.#built = `${this.#style.kind} ${this.#style.log}`;
    this.#plot = new UPlot(
      this.#options(),
      [
        [0, 1],
        [0, 1],
      ],
      this,
    );
    this.#over = document.createElement("canvas");
    this.#over.className = "tl-over";
    this.#plot.root.append(this.#over);
    this.#placeOver();
    this.#listen(this.#plot.over);
  }

  /** @returns {UPlot.Options} */
  #options() {
    const { kind, log } = this.#style;
    const t = tokens();
    const axis = {
      font: `500 10.5px ${t.font}`,
      stroke: t.label,
      ticks: { show: false },
      grid: { stroke: t.grid, width: 1 },
    };
    return {
      width: this.clientWidth,
      height: this.clientHeight,
      padding: [6, 10, 0, 0],
      legend: { show: false },
      cursor: { x: false, y: false, points: { show: false }, drag: { setScale: false, dist: 4 } },
      scales: {
        x: { time: kind === "wall", auto: false },
        y: { auto: false, distr: log ? 3 : 1 },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [xAxis(axis, kind, t.axis), yAxis(axis, log)],
      hooks: {
        draw: [() => this.#strokes()],
        setSelect: [(plot) => this.#selected(plot)],
      },
    };
  }

  /** @param {CanvasRenderingContext2D} ctx @param {number} left @param {number} top @returns {draw.Frame} */
  #frame(ctx, left, top) {
    const plot = /** @type {UPlot} */ (this.#plot);
    const { width, height } = plot.bbox;
    const [x, y] = [plot.scales.x, plot.scales.y];
    const [x0, x1, y0, y1] = [x.min ?? 0, x.max ?? 1, y.min ?? 0, y.max ?? 1];
    const bend = this.#style.log ? Math.log10 : (/** @type {number} */ v) => v;
    const [b0, b1] = [bend(y0), bend(y1)];
    return {
      ctx,
      left,
      top,
      width,
      height,
      ratio: devicePixelRatio,
      px: (v) => left + ((v - x0) / (x1 - x0)) * width,
      py: (v) => top + (1 - (bend(v) - b0) / (b1 - b0)) * height,
    };
  }

  /** Bands, raw lines, smoothed lines, ends; the lit run last and widest. */
  #strokes() {
    const plot = /** @type {UPlot} */ (this.#plot);
    const { left, top, width, height } = plot.bbox;
    const frame = this.#frame(plot.ctx, left, top);
    const { ctx } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top - 4 * frame.ratio, width + 8 * frame.ratio, height + 4 * frame.ratio);
    ctx.clip();
    const lit = this.lines.some(({ run }) => run === this.lit) ? this.lit : "";
    const order = [...this.lines].sort((a, b) => Number(a.run === lit) - Number(b.run === lit));
    for (const line of order) this.#behind(frame, line, lit);
    for (const line of order) this.#front(frame, line, lit);
    const { min = 0, max = 1 } = plot.scales.y;
    for (const { line, x, up } of leavers(this.lines, this.domain, [min, max])) {
      draw.leaving(frame, x, up, tokens().runs[line.look.hue]);
    }
    ctx.restore();
  }

  /** @param {draw.Frame} frame @param {import("tidelog/chart/model").Drawn} line @param {string} lit */
  #behind(frame, line, lit) {
    const t = tokens();
    const colour = t.runs[line.look.hue];
    const fade = lit && line.run !== lit ? SHIFT : 1;
    const { curve } = line;
    if (curve.grid.mode === "buckets") {
      draw.band(frame, line.x, curve.lo, curve.hi, colour, t.bandAlpha * fade);
    } else if (line.smoothed !== line.y) {
      const stroke = { colour, dash: 0, width: 1, alpha: t.rawAlpha * fade };
      draw.line(frame, line.x, line.y, stroke);
    }
  }

  /** @param {draw.Frame} frame @param {import("tidelog/chart/model").Drawn} line @param {string} lit */
  #front(frame, line, lit) {
    const colour = tokens().runs[line.look.hue];
    const own = line.run === lit;
    const alpha = lit && !own ? SHIFT : 1;
    const stroke = { colour, dash: line.look.dash, width: own ? 2.4 : 1.5, alpha };
    draw.line(frame, line.x, line.smoothed, stroke);
    const last = line.x.length - 1;
    draw.end(frame, line.x[last], line.smoothed[last], line.state, colour, alpha);
  }

  #placeOver() {
    const plot = /** @type {UPlot} */ (this.#plot);
    const over = /** @type {HTMLCanvasElement} */ (this.#over);
    const { left, top, width, height } = plot.bbox;
    const ratio = devicePixelRatio;
    over.width = Math.max(1, width);
    over.height = Math.max(1, height);
    for (const [name, pixels] of Object.entries({ left, top, width, height })) {
      over.style.setProperty(name, `${pixels / ratio}px`);
    }
  }

  #crosshair() {
    const over = this.#over;
    const ctx = over?.getContext("2d");
    if (!over || !ctx || !this.#plot) return;
    if (over.width !== Math.max(1, this.#plot.bbox.width)) this.#placeOver();
    ctx.clearRect(0, 0, over.width, over.height);
    const cross = this.#cross;
    if (!cross || cross.x < this.domain[0] || cross.x > this.domain[1]) return;
    const near = cross.own ? this.readings(cross.x) : [];
    const dots = near.map(({ line, x, value }) => ({
      x,
      y: value,
      colour: tokens().runs[line.look.hue],
    }));
    draw.crosshair(this.#frame(ctx, 0, 0), cross.x, dots, tokens());
  }

  /** Every line's value at `x`. @param {number} x */
  readings(x) {
    return readings(this.lines, x, (this.domain[1] - this.domain[0]) / 50);
  }

  /** @param {HTMLElement} over */
  #listen(over) {
    over.addEventListener("pointermove", (event) => this.#moved(event));
    over.addEventListener("pointerleave", () => this.#point(null));
    over.addEventListener("pointerdown", (event) => this.#grabbed(event), true);
    over.addEventListener("mousedown", (event) => event.altKey && event.stopPropagation(), true);
    over.addEventListener("dblclick", () => {
      this.#tall = null;
      this.#tell("tl-zoom", null);
      this.#ask();
    });
    over.addEventListener("click", () => this.#tell("tl-pin", null));
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const plot = this.#plot;
    if (!plot) return;
    const box = plot.over.getBoundingClientRect();
    const x = plot.posToVal(event.clientX - box.left, "x");
    const y = plot.posToVal(event.clientY - box.top, "y");
    const { near } = tooltip(this.readings(x), y);
    const away = near
      ? Math.abs(plot.valToPos(near.value, "y") - (event.clientY - box.top))
      : REACH;
    this.#point({ x, y, run: away < REACH && near ? near.line.run : "", at: event });
  }

  /** @param {{ x: number, y: number, run: string, at: { clientX: number, clientY: number } } | null} point */
  #point(point) {
    this.#cross = point && { x: point.x, y: point.y, own: true };
    this.#crosshair();
    this.#tell("tl-point", point);
  }

  /** What a drag will do: Shift zooms y, Ctrl both, Alt pans. @param {PointerEvent} event */
  #grabbed(event) {
    const plot = this.#plot;
    if (!plot) return;
    plot.cursor.drag = {
      ...plot.cursor.drag,
      x: !event.shiftKey || event.ctrlKey,
      y: event.shiftKey || event.ctrlKey,
    };
    if (event.altKey) this.#pan(event, plot);
  }

  /** @param {PointerEvent} start @param {UPlot} plot */
  #pan(start, plot) {
    const [from, to] = this.domain;
    const scale = (to - from) / plot.over.clientWidth;
    const move = (/** @type {PointerEvent} */ event) => {
      const by = (start.clientX - event.clientX) * scale;
      this.#tell("tl-zoom", [from + by, to + by]);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
  }

  /** A range was dragged. @param {UPlot} plot */
  #selected(plot) {
    const { left, top, width, height } = plot.select;
    const drag = plot.cursor.drag ?? {};
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (drag.y && height >= 4) {
      this.#tall = [plot.posToVal(top + height, "y"), plot.posToVal(top, "y")];
      this.#ask();
    }
    if (drag.x && width >= 4) {
      this.#tell("tl-zoom", [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    }
  }

  /** Whether y is zoomed. */
  get tall() {
    return this.#tall !== null;
  }

  /** Show all of y again. */
  clearTall() {
    this.#tall = null;
    this.#ask();
  }

  /** The picture, as it is on screen. @returns {HTMLCanvasElement | undefined} */
  get picture() {
    return this.#plot?.ctx.canvas;
  }

  /** @param {string} name @param {unknown} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  /** Left and right move the crosshair (Shift: by a tenth), up and down choose the run. */
  #keys = (/** @type {KeyboardEvent} */ event) => {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if ((!across && !along) || event.altKey || event.ctrlKey || !this.lines.length) return;
    event.preventDefault();
    const [from, to] = this.domain;
    const step = ((to - from) / 100) * (event.shiftKey ? 10 : 1);
    const start = this.#cross?.x ?? (across === 1 ? from : to);
    const x = Math.min(to, Math.max(from, start + (this.#cross ? (across ?? 0) * step : 0)));
    this.#speak(x, along ?? 0);
  };

  /** @param {number} x @param {number} along */
  #speak(x, along) {
    const plot = /** @type {UPlot} */ (this.#plot);
    const all = this.readings(x).sort((a, b) => b.value - a.value);
    if (!all.length) return;
    this.#keyRun = (this.#keyRun + along + all.length) % all.length;
    const { line, value } = all[this.#keyRun];
    const box = plot.over.getBoundingClientRect();
    const at = {
      clientX: box.left + plot.valToPos(x, "x"),
      clientY: box.top + plot.valToPos(value, "y"),
    };
    this.#point({ x, y: value, run: line.run, at });
    const word = this.#style.kind === "step" ? "step " : "";
    const rank = `${this.#keyRun + 1} of ${all.length}`;
    say(`${word}${position(this.#style.kind, x)}, ${line.name}, ${number(value)}, ${rank}`);
  }
}

customElements.define("tl-lines", TlLines);
