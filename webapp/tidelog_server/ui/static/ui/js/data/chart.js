import { ask } from "tidelog/api";
import { Curve, skip } from "tidelog/data/curve";
import { chart as decode } from "tidelog/data/frames";

/**
 * The curves of one panel: one key, several runs, one kind of x, one range.
 *
 * Runs are read as they are wanted and kept when they are hidden. What arrives live is folded
 * in; what arrives while a run is being read waits until it is; a hole is read again.
 * Dispatches `loaded`, `live`, and `failed`.
 */
export class ChartData extends EventTarget {
  /** @type {Map<string, Curve>} */
  curves = new Map();
  /** @type {Error | null} */
  fault = null;
  /** @type {Set<string>} */
  #reading = new Set();
  /** @type {import("tidelog/data/frames").LivePoints[]} */
  #waiting = [];
  #closed = false;

  /**
   * @param {string} url of the project's charts
   * @param {string} key
   * @param {{ x: "step" | "relative" | "wall", width: number, range: [number, number] | null }} spec
   */
  constructor(url, key, spec) {
    super();
    this.url = url;
    this.key = key;
    this.spec = spec;
  }

  get busy() {
    return this.#reading.size > 0;
  }

  close() {
    this.#closed = true;
  }

  /** Read what is not here yet. @param {string[]} runs */
  want(runs) {
    const missing = runs.filter((run) => !this.curves.has(run) && !this.#reading.has(run));
    if (missing.length) this.read(missing);
  }

  /** @param {string[]} runs to read (again) */
  async read(runs) {
    for (const run of runs) this.#reading.add(run);
    this.fault = null;
    try {
      this.#take(decode(await this.#fetch(runs)));
    } catch (error) {
      this.fault = /** @type {Error} */ (error);
    }
    for (const run of runs) this.#reading.delete(run);
    if (this.#closed) return;
    this.#drain();
    this.dispatchEvent(new Event(this.fault ? "failed" : "loaded"));
  }

  /** @param {string[]} runs */
  async #fetch(runs) {
    const { x, width, range } = this.spec;
    const [from, to] = range ?? [null, null];
    const body = { key: this.key, runs, x, from, to, width };
    const accept = "application/octet-stream";
    return (await ask(this.url, { method: "POST", body, accept })).arrayBuffer();
  }

  /** @param {import("tidelog/data/frames").Chart} answer */
  #take(answer) {
    for (const run of answer.runs) this.curves.set(run.id, new Curve(run, answer));
  }

  /** @param {import("tidelog/data/frames").LivePoints} points */
  apply(points) {
    if (this.#reading.has(points.run)) {
      this.#waiting.push(points);
    } else if (this.curves.has(points.run)) {
      this.#fold(points);
    }
  }

  #drain() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const points of waiting) this.apply(points);
  }

  /** @param {import("tidelog/data/frames").LivePoints} points */
  #fold({ run, total, steps, times, values }) {
    const curve = /** @type {Curve} */ (this.curves.get(run));
    const from = skip(curve.total, values.length, total);
    if (from < 0 || (curve.origin === null && this.spec.x === "relative")) {
      this.read([run]);
      return;
    }
    for (let i = from; i < values.length; i++) {
      const x = this.#x(curve, steps[i], times[i]);
      if (this.#inside(x)) curve.add(x, values[i]);
    }
    curve.total = Math.max(curve.total, total);
    this.dispatchEvent(new Event("live"));
  }

  /** @param {Curve} curve @param {number} step @param {number} time */
  #x(curve, step, time) {
    if (this.spec.x === "step") return step;
    return this.spec.x === "wall" ? time : time - curve.origin;
  }

  /** @param {number} x */
  #inside(x) {
    const range = this.spec.range;
    return !range || (x >= range[0] && x <= range[1]);
  }

  /**
   * Read again what went on while nobody was listening.
   * @param {Record<string, Record<string, number>>} totals run -> key -> points stored
   * @param {Set<string>} ended runs that may have ended meanwhile
   */
  heal(totals, ended) {
    const behind = [...this.curves.values()].filter(
      (curve) =>
        ended.has(curve.run) || (totals[curve.run]?.[this.key] ?? curve.total) > curve.total,
    );
    if (behind.length) this.read(behind.map((curve) => curve.run));
  }
}
