import { json } from "tidelog/api";
import { livePoints } from "tidelog/data/frames";

/**
 * A run as the server tells it (the fields that pages use).
 * @typedef {object} Run
 * @property {string} id
 * @property {string} name
 * @property {number} number
 * @property {string} state
 * @property {number} color
 * @property {string[]} tags
 * @property {string} notes
 * @property {string | null} author
 * @property {string | null} started_at
 * @property {string | null} created_at
 * @property {string | null} heard_at
 * @property {string | null} ended_at
 * @property {number} duration seconds
 * @property {Record<string, unknown>} summary
 * @property {number} rev
 */

const PAGE = 500;

/**
 * Everything a page knows about its project: runs, keys, and the charts that listen.
 *
 * Dispatches `runs` (rows came, changed or went; detail: the set of their ids), `keys` (a
 * metric was logged for the first time), `last` (a newest value; detail: LivePoints) and
 * `count`.
 */
export class Store extends EventTarget {
  /** @type {Map<string, Run>} */
  runs = new Map();
  /** @type {Set<string>} */
  keys = new Set();
  count = 0;
  rev = 0;
  /** Newest value of each series heard live: "run\nkey". @type {Map<string, number>} */
  newest = new Map();
  /** @type {Set<import("tidelog/data/chart").ChartData>} */
  charts = new Set();

  /**
   * @param {string} url of the project's REST address
   * @param {{ runs: Run[], keys: string[], count: number, rev: number }} first
   * @param {string} [only] the one run that this page is about
   */
  constructor(url, first, only) {
    super();
    this.url = url;
    this.only = only;
    this.count = first.count;
    this.rev = first.rev;
    for (const run of first.runs) this.runs.set(run.id, run);
    for (const key of first.keys) this.keys.add(key);
  }

  get chartUrl() {
    return `${this.url}/chart`;
  }

  /** Runs that the page came without, page by page. */
  async readRest() {
    while (!this.only && this.runs.size < this.count) {
      const before = this.runs.size;
      const { runs, count } = await json(`${this.url}/runs?offset=${this.runs.size}&limit=${PAGE}`);
      this.count = count;
      this.#rows(runs);
      if (this.runs.size === before) return;
    }
  }

  /** Follow a live connection. @param {import("tidelog/data/live").Live} live */
  follow(live) {
    live.addEventListener("frame", (event) => {
      const { header, columns } = /** @type {CustomEvent} */ (event).detail;
      this.#frame(header, columns);
    });
    live.addEventListener("poll", async () => live.reached(await this.#poll()));
  }

  /** @param {any} header @param {Uint8Array} columns */
  #frame(header, columns) {
    if (header.kind === "hello") this.#hello(header);
    else if (header.kind === "run") this.#rows([header.run]);
    else if (header.kind === "gone") this.#gone(header);
    else if (header.kind === "points") this.#points(livePoints(header, columns));
  }

  /** @param {{ rev: number, runs: Run[], series: Record<string, Record<string, number>> }} hello */
  #hello(hello) {
    const ended = this.#changedEnds(hello.runs);
    this.#rows(hello.runs);
    this.rev = Math.max(this.rev, hello.rev);
    for (const totals of Object.values(hello.series ?? {})) this.#learn(Object.keys(totals));
    for (const chart of this.charts) chart.heal(hello.series ?? {}, ended);
  }

  /** @param {Run[]} rows that end here what was running */
  #changedEnds(rows) {
    return new Set(
      rows
        .filter((row) => row.state !== "running" && this.runs.get(row.id)?.state === "running")
        .map((row) => row.id),
    );
  }

  async #poll() {
    try {
      const told = await json(`${this.url}/runs?after_rev=${this.rev}&limit=${PAGE}`);
      const ended = this.#changedEnds(told.runs);
      this.#rows(told.runs);
      this.rev = told.rev;
      const running = [...this.runs.values()].filter(({ state }) => state === "running");
      const moving = new Set([...ended, ...running.map(({ id }) => id)]);
      for (const chart of this.charts) chart.heal({}, moving);
      const { keys } = await json(`${this.url}/series`);
      this.#learn(keys.map((/** @type {{ key: string }} */ entry) => entry.key));
      return true;
    } catch {
      return false; // the next tick asks again, and the badge says so meanwhile
    }
  }

  /** @param {Run[]} rows */
  #rows(rows) {
    const mine = this.only ? rows.filter(({ id }) => id === this.only) : rows;
    for (const row of mine) {
      const old = this.runs.get(row.id);
      if (!old && !this.only) this.count = Math.max(this.count, this.runs.size + 1);
      this.runs.set(row.id, { ...old, ...row });
      this.rev = Math.max(this.rev, row.rev ?? 0);
    }
    if (mine.length) this.#tell("runs", new Set(mine.map(({ id }) => id)));
  }

  /** @param {{ run: string, rev: number }} gone */
  #gone({ run, rev }) {
    this.rev = Math.max(this.rev, rev);
    if (this.runs.delete(run)) {
      this.count--;
      this.#tell("runs", new Set([run]));
    }
  }

  /** @param {import("tidelog/data/frames").LivePoints[]} series */
  #points(series) {
    this.#learn(series.map(({ key }) => key));
    for (const points of series) {
      const last = points.values.at(-1);
      if (last !== undefined) this.newest.set(`${points.run}\n${points.key}`, last);
      for (const chart of this.charts) if (chart.key === points.key) chart.apply(points);
      this.#tell("last", points);
    }
  }

  /** @param {string[]} keys */
  #learn(keys) {
    const fresh = keys.filter((key) => !this.keys.has(key));
    for (const key of fresh) this.keys.add(key);
    if (fresh.length) this.#tell("keys", fresh);
  }

  /** A run's newest value of a key. @param {Run} run @param {string} key */
  value(run, key) {
    const value = this.newest.get(`${run.id}\n${key}`) ?? run.summary?.[key];
    return value === undefined || value === null ? undefined : Number(value);
  }

  /** @param {string} name @param {unknown} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * How long a run has lasted, and whether it is still heard.
 * @param {Run} run
 * @param {number} now seconds since the epoch
 */
export function runtime(run, now) {
  if (run.state !== "running" || !run.started_at) return run.duration;
  return Math.max(0, now - Date.parse(run.started_at) / 1000);
}

/** @param {Run} run @param {number} now */
export function shownState(run, now) {
  if (run.state !== "running" || !run.heard_at) return run.state;
  return now - Date.parse(run.heard_at) / 1000 > 60 ? "stale" : "running";
}
