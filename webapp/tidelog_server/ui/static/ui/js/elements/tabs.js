/**
 * Tabs as people know them: one is open, the arrows walk.
 * @param {HTMLElement} list its tabs name their panels by `aria-controls`
 */
export function wireTabs(list) {
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  const choose = (/** @type {HTMLElement} */ tab) => {
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      const panel = document.getElementById(other.getAttribute("aria-controls") ?? "");
      if (panel) panel.hidden = other !== tab;
    }
  };
  list.addEventListener("click", (event) => {
    const tab = /** @type {Element} */ (event.target).closest("[role=tab]");
    if (tab) choose(/** @type {HTMLElement} */ (tab));
  });
  list.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = tabs[(at + by + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
}
