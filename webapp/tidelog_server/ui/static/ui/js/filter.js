/** Filters that people type: plain words or a regular expression. */

/**
 * @typedef {{ test: (text: string) => boolean, fault: string }} Filter
 */

/**
 * @param {string} pattern empty matches everything
 * @param {boolean} regex
 * @returns {Filter} with `fault` set (and the test of nothing meaningful) if it is not valid
 */
export function filter(pattern, regex) {
  const wanted = pattern.trim();
  if (!wanted) return { test: () => true, fault: "" };
  return regex ? expression(wanted) : words(wanted);
}

/** Every word occurs, in any order, in any case. */
/** @param {string} wanted @returns {Filter} */
function words(wanted) {
  const each = wanted.toLowerCase().split(/\s+/);
  return {
    test: (text) => {
      const low = text.toLowerCase();
      return each.every((word) => low.includes(word));
    },
    fault: "",
  };
}

/** @param {string} wanted @returns {Filter} */
function expression(wanted) {
  try {
    const pattern = new RegExp(wanted, "i");
    return { test: (text) => pattern.test(text), fault: "" };
  } catch (error) {
    const reason = String(/** @type {Error} */ (error).message)
      .split(": ")
      .at(-1);
    return { test: () => true, fault: `Not a regular expression: ${reason?.toLowerCase()}.` };
  }
}

/**
 * @param {{ id: string, name: string, state: string, notes?: string, tags?: string[], author?: string | null }} run
 */
export function haystack(run) {
  return [run.name, run.id, run.state, run.notes ?? "", run.author ?? "", ...(run.tags ?? [])].join(
    "\n",
  );
}
