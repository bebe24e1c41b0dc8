/** What people may change of a run, as text in a field and as the server wants it. Pure. */

/**
 * @typedef {"name" | "tags" | "notes"} Field
 * @typedef {string | string[]} Value
 */

/** @param {Value} value @returns {string} */
export function spelled(value) {
  return Array.isArray(value) ? value.join(", ") : value;
}

/**
 * @param {Field} field
 * @param {string} text
 * @returns {Value | null} null: this cannot be it
 */
export function parsed(field, text) {
  if (field === "notes") return text.replace(/\s+$/, "");
  if (field === "name") return text.trim() || null;
  const tags = text.split(",").map((tag) => tag.trim().slice(0, 100));
  return [...new Set(tags.filter(Boolean))];
}

/**
 * What was done, as a toast says it.
 * @param {Field} field
 * @param {Value} value
 */
export function told(field, value) {
  if (field === "name") return `Renamed to ${value}.`;
  if (field === "notes") return "Changed the notes.";
  return value.length ? `Tags: ${spelled(value)}.` : "Removed all tags.";
}
