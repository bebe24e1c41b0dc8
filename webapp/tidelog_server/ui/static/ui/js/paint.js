/** One animation-frame queue for the page, and the pace of live painting. */

/** @type {Map<object, () => void>} */
const queue = new Map();
let asked = 0;

/**
 * Paint `owner` at the next frame; asked twice, it is painted once.
 * @param {object} owner
 * @param {() => void} draw
 */
export function paint(owner, draw) {
  queue.set(owner, draw);
  if (!asked) asked = requestAnimationFrame(flush);
}

/** @param {object} owner that no longer wants to be painted */
export function forget(owner) {
  queue.delete(owner);
}

function flush() {
  asked = 0;
  const due = [...queue.values()];
  queue.clear();
  for (const draw of due) draw();
}

/** At most one call each `gap` milliseconds; the first after a pause comes at once. */
export class Pace {
  #last = Number.NEGATIVE_INFINITY;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} act @param {number} gap */
  constructor(act, gap) {
    this.act = act;
    this.gap = gap;
  }

  beat() {
    if (this.#timer) return;
    const wait = this.#last + this.gap - performance.now();
    if (wait <= 0) this.#go();
    else this.#timer = setTimeout(() => this.#go(), wait);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #go() {
    this.#timer = undefined;
    this.#last = performance.now();
    this.act();
  }
}
