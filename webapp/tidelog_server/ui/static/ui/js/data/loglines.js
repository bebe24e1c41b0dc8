import { json } from "tidelog/api";

const PAGE = 500;

/**
 * @typedef {object} LogLine
 * @property {number} number from 0
 * @property {number} time seconds since the epoch
 * @property {1 | 2} fd
 * @property {string} text
 */

/** A run's console, read in pages as they are looked at. */
export class LogLines {
  total = 0;
  /** @type {Map<number, LogLine>} */
  lines = new Map();
  /** @type {Set<number>} */
  #asked = new Set();

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /**
   * Read the pages that cover lines `from` to `to` and are not here yet.
   * @param {number} from
   * @param {number} to
   * @returns {Promise<boolean>} whether anything came
   */
  async ensure(from, to) {
    const pages = [];
    for (let page = Math.floor(from / PAGE); page * PAGE < Math.max(to, from + 1); page++) {
      if (!this.#asked.has(page)) pages.push(page);
    }
    await Promise.all(pages.map((page) => this.#read(page)));
    return pages.length > 0;
  }

  /** @param {number} page */
  async #read(page) {
    this.#asked.add(page);
    try {
      const told = await json(`${this.url}?from=${page * PAGE}&limit=${PAGE}`);
      this.#take(told);
    } catch (error) {
      this.#asked.delete(page);
      throw error;
    }
  }

  /** Ask for what came after the last line. @returns {Promise<number>} how many new lines */
  async tail() {
    const before = this.total;
    const told = await json(`${this.url}?from=${before}&limit=${PAGE}`);
    this.#take(told);
    for (let at = before; at < this.total; at += PAGE) await this.ensure(at, at + 1);
    return this.total - before;
  }

  /** @param {{ total: number, lines: [number, number, 1 | 2, string][] }} told */
  #take(told) {
    this.total = Math.max(this.total, told.total);
    for (const [number, time, fd, text] of told.lines) {
      this.lines.set(number, { number, time, fd, text });
    }
    const last = Math.floor(this.total / PAGE);
    this.#asked.delete(last); // the last page is not full, so it can be asked again
  }

  /** Everything, for a search. */
  async all() {
    for (let at = 0; at < this.total; at += 8 * PAGE)
      await this.ensure(at, Math.min(at + 8 * PAGE, this.total));
  }
}
