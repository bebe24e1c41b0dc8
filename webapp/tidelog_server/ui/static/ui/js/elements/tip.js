import { tooltip } from "tidelog/chart/model";
import { h, swatch } from "tidelog/dom";
import { number, position } from "tidelog/format";

const WORDS = { step: "Step", relative: "After", wall: "At" };
const GAP = 14;

/** The one tooltip of a board: what the lines under the crosshair are worth. */
export class Tip {
  #box = h("div", { class: "tip", hidden: true });
  pinned = false;

  constructor() {
    document.body.append(this.#box);
  }

  /**
   * @param {import("tidelog/elements/lines").TlLines} lines
   * @param {"step" | "relative" | "wall"} kind
   * @param {{ x: number, y: number, at: { clientX: number, clientY: number } } | null} point
   */
  show(lines, kind, point) {
    if (this.pinned) return;
    const all = point ? lines.readings(point.x) : [];
    this.#box.hidden = !point || !all.length;
    if (!point || !all.length) return;
    const told = tooltip(all, point.y);
    this.#box.replaceChildren(
      head(kind, told.rows[0].x),
      ...told.rows.map((row) => line(row, told)),
    );
    this.#box.append(foot(told.more));
    this.#place(point.at);
  }

  pin() {
    this.pinned = !this.#box.hidden && !this.pinned;
    this.#box.classList.toggle("pinned", this.pinned);
    this.#box.hidden = !this.pinned;
  }

  /** @returns {boolean} whether there was something to let go */
  unpin() {
    const was = this.pinned;
    if (was) this.pin();
    return was;
  }

  /** Beside the crosshair, inside the window. @param {{ clientX: number, clientY: number }} at */
  #place({ clientX, clientY }) {
    const { offsetWidth: width, offsetHeight: height } = this.#box;
    const right = clientX + GAP + width <= innerWidth - 8;
    const left = right ? clientX + GAP : Math.max(8, clientX - GAP - width);
    const top = Math.max(8, Math.min(clientY + GAP, innerHeight - height - 8));
    this.#box.style.setProperty("left", `${left}px`);
    this.#box.style.setProperty("top", `${top}px`);
  }
}

/** @param {"step" | "relative" | "wall"} kind @param {number} x */
function head(kind, x) {
  return h("div", { class: "tip-head" }, h("span", {}, `${WORDS[kind]} ${position(kind, x)}`));
}

/** @param {import("tidelog/chart/model").Reading} row @param {{ near: unknown }} told */
function line(row, told) {
  const smoothed = row.line.smoothed !== row.line.y;
  const near = row === told.near ? " near" : "";
  return h(
    "div",
    { class: `tip-row${near}` },
    swatch(row.line.look),
    h("span", {}, row.line.name),
    h("span", { class: "num" }, number(row.value)),
    h("span", { class: "num raw" }, smoothed ? number(row.raw, 3) : ""),
  );
}

/** @param {number} more */
function foot(more) {
  const rest = more ? `+${more} more · ` : "";
  return h("div", { class: "tip-foot" }, h("span", {}, `${rest}click to pin`));
}
