/**
 * A search over trees of values: what does not match goes, and groups with a match open.
 * @param {HTMLInputElement} field `data-tree` names the tree's element
 */
export function wireTree(field) {
  const tree = document.getElementById(field.dataset.tree ?? "");
  if (!tree) return;
  const closed = [...tree.querySelectorAll("details:not([open])")];
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const leaf of all(tree, ".leaf")) leaf.hidden = !leafText(leaf).includes(wanted);
    // Inner groups come after outer ones, so from the end each finds its own groups settled.
    for (const group of all(tree, ".group").reverse()) settle(group, Boolean(wanted));
    if (!wanted) for (const group of closed) /** @type {HTMLDetailsElement} */ (group).open = false;
    const none = all(tree, "[data-none]")[0];
    none.hidden = all(tree, ".leaf").some(({ hidden }) => !hidden);
  });
}

/** @param {HTMLElement} group @param {boolean} searching */
function settle(group, searching) {
  group.hidden = all(group, ".leaf").every(({ hidden }) => hidden);
  const details = group.querySelector("details");
  if (details && searching) details.open = true;
}

/** @param {HTMLElement} leaf */
const leafText = (leaf) =>
  `${leaf.dataset.key} ${leaf.querySelector(".v")?.textContent}`.toLowerCase();

/** @param {ParentNode} within @param {string} selector */
const all = (within, selector) =>
  /** @type {HTMLElement[]} */ ([...within.querySelectorAll(selector)]);
