import { look } from "tidelog/palette";

/** More lines than this say nothing to anybody. */
export const MOST = 100;
const FIRST = 10;

/**
 * What the parts of a page share: the store, the view, the lit run and the crosshair.
 * Dispatches `light` when another run stands out, and `cross` when the crosshair moves.
 */
export class Desk extends EventTarget {
  lit = "";
  /** @type {number | null} */
  cross = null;

  /**
   * @param {import("tidelog/data/store").Store} store
   * @param {import("tidelog/data/view").ViewState} view
   */
  constructor(store, view) {
    super();
    this.store = store;
    this.view = view;
    this.lit = view.now.hl;
  }

  /** @param {string} run "" for none; the run pinned in the address stays lit then */
  light(run) {
    const next = run || this.view.now.hl;
    if (next === this.lit) return;
    this.lit = next;
    this.dispatchEvent(new Event("light"));
  }

  /** @param {number | null} x @param {EventTarget} source */
  point(x, source) {
    this.cross = x;
    this.dispatchEvent(new CustomEvent("cross", { detail: { x, source } }));
  }

  /** Runs whose lines are drawn, newest first. @returns {import("tidelog/data/store").Run[]} */
  shown() {
    const all = [...this.store.runs.values()];
    const chosen = this.view.now.show;
    if (chosen) {
      const ids = new Set(chosen);
      return all.filter(({ id }) => ids.has(id)).slice(0, MOST);
    }
    return all.sort((a, b) => b.number - a.number).slice(0, FIRST);
  }

  /** @param {string[]} ids */
  show(ids) {
    this.view.set({ show: ids.slice(0, MOST) });
  }

  /** Show a run, or hide it. @param {string} id @returns {boolean} false: too many already */
  toggle(id) {
    const ids = this.shown().map((run) => run.id);
    if (ids.includes(id)) this.show(ids.filter((other) => other !== id));
    else if (ids.length >= MOST) return false;
    else this.show([...ids, id]);
    return true;
  }

  /** @param {import("tidelog/data/store").Run} run */
  look(run) {
    return look(run.color);
  }
}
