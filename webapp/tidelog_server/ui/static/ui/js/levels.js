/** How serious a printed line is, by its words and where it was printed. Pure. */

const ERROR = /\b(error|exception|traceback|fatal|critical|failed|panic)\b/i;
const WARNING = /\b(warn|warning|deprecated)\b/i;
/** Classes such as ValueError, whose case tells the word. */
const RAISED = /[a-z](Error|Exception)\b/;
const WARNED = /[a-z]Warning\b/;

/** @typedef {"all" | "warning" | "error"} Level */

/**
 * Whether a line is at least as serious as `level`. What goes to stderr counts as a warning:
 * tracebacks do, and their inner lines have no word that tells.
 * @param {Level} level
 * @param {string} text
 * @param {1 | 2} fd
 */
export function serious(level, text, fd) {
  if (level === "all" || ERROR.test(text) || RAISED.test(text)) return true;
  return level === "warning" && (fd === 2 || WARNING.test(text) || WARNED.test(text));
}
