const LEAST = 240;
const MOST = 960;

/**
 * An edge that changes the width of its element: dragged, or moved by arrow keys.
 * @param {HTMLElement} element
 * @param {HTMLElement} grab a separator in it
 */
export function wireGrab(element, grab) {
  const set = (/** @type {number} */ width) => {
    const clamped = Math.min(MOST, Math.max(LEAST, width));
    element.style.setProperty("--own-width", `${clamped}px`);
    grab.setAttribute("aria-valuenow", String(Math.round(clamped)));
  };
  grab.addEventListener("pointerdown", (event) => grab.setPointerCapture(event.pointerId));
  grab.addEventListener("pointermove", (event) => {
    if (!grab.hasPointerCapture(event.pointerId)) return;
    set(event.clientX - element.getBoundingClientRect().left);
  });
  grab.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (by) set(element.offsetWidth + by);
  });
}
