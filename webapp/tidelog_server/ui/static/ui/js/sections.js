/** Which panels a board has, and in which order. Pure. */

/** @param {string} key */
export function sectionOf(key) {
  const cut = key.indexOf("/");
  return cut > 0 ? key.slice(0, cut) : "metrics";
}

/**
 * Sections with their keys: the main metric's first, `system` last, the others by name.
 * @param {Iterable<string>} keys
 * @param {string} main
 * @returns {[string, string[]][]}
 */
export function sections(keys, main) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const key of [...keys].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))) {
    const name = sectionOf(key);
    found.set(name, [...(found.get(name) ?? []), key]);
  }
  const first = main ? sectionOf(main) : "";
  const rank = (/** @type {string} */ name) => (name === "system" ? 2 : name === first ? 0 : 1);
  return [...found]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b, "en"))
    .map(([name, list]) => [name, list.sort((a, b) => weight(a, main) - weight(b, main))]);
}

/** What people look at first: the main metric, then losses and scores. */
/** @param {string} key @param {string} main */
function weight(key, main) {
  if (key === main) return 0;
  return /(loss|acc|accuracy|reward|score|f1|auc)$/i.test(key) ? 1 : 2;
}
