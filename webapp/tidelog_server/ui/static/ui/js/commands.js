/** What the search dialog lists: pages, commands, and where one was lately. Pure. */

/**
 * @typedef {object} Entry
 * @property {string} kind
 * @property {string} text
 * @property {string} [note]
 * @property {string} [url]
 * @property {() => void} [act]
 */

/** Kinds in the order of their groups, with the heads of the groups. */
export const HEADS = /** @type {Record<string, string>} */ ({
  recent: "Recent",
  run: "Runs",
  metric: "Metrics",
  project: "Projects",
  page: "Pages",
  command: "Commands",
});
const MOST_RECENT = 6;

/**
 * Entries that hold every word, best first: a text that begins with it before one that holds it.
 * @param {Entry[]} entries
 * @param {string} text
 */
export function matching(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const begins = (/** @type {Entry} */ entry) =>
    Number(!entry.text.toLowerCase().startsWith(words[0] ?? ""));
  return entries
    .filter(({ text: own }) => words.every((word) => own.toLowerCase().includes(word)))
    .sort((a, b) => begins(a) - begins(b));
}

/**
 * What a text that is typed asks for; `>` limits to commands.
 * @param {string} typed
 * @returns {{ text: string, only: boolean }}
 */
export function question(typed) {
  const only = typed.trimStart().startsWith(">");
  return { text: typed.replace(/^\s*>/, "").trim(), only };
}

/**
 * Entries by kind, in the order of the groups.
 * @param {Entry[]} entries
 * @returns {[string, Entry[]][]}
 */
export function groups(entries) {
  return Object.keys(HEADS)
    .map(
      (kind) =>
        /** @type {[string, Entry[]]} */ ([kind, entries.filter((entry) => entry.kind === kind)]),
    )
    .filter(([, list]) => list.length > 0);
}

/**
 * The recent list with `entry` on top.
 * @param {Entry[]} recent
 * @param {Entry} entry
 * @returns {Entry[]}
 */
export function visited(recent, { text, note, url }) {
  const others = recent.filter((other) => other.url !== url);
  return [{ kind: "recent", text, note, url }, ...others].slice(0, MOST_RECENT);
}
