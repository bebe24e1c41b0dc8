import * as query from "tidelog/query";

/**
 * What is on screen, shared by all parts of a page and mirrored in the address bar.
 * Dispatches `change`, whose detail is the set of names that changed.
 */
export class ViewState extends EventTarget {
  #view = query.read(location.search);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  get now() {
    return this.#view;
  }

  /** @param {Partial<query.View>} patch */
  set(patch) {
    const before = /** @type {any} */ (this.#view);
    const names = new Set(
      Object.entries(patch)
        .filter(([name, value]) => before[name] !== value)
        .map(([name]) => name),
    );
    if (!names.size) return;
    this.#view = { ...this.#view, ...patch };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#mirror(), 100);
    this.dispatchEvent(new CustomEvent("change", { detail: names }));
  }

  #mirror() {
    const search = query.write(this.#view);
    history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  }
}
