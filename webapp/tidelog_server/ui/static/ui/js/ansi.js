/**
 * Terminal output as text with classes. Colours become names that the style sheet maps to
 * tokens, so a log reads well in both themes; whatever else a terminal obeys is dropped.
 *
 * @typedef {{ text: string, classes: string[] }} Span
 */

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const STYLES = new Map([
  [1, "bold"],
  [2, "dim"],
  [3, "italic"],
  [4, "underline"],
]);
const OFF = new Map([
  [22, ["bold", "dim"]],
  [23, ["italic"]],
  [24, ["underline"]],
  [39, COLOURS],
]);

const SEQUENCE =
  /\u001b\[([0-9;:]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[()][0-9A-B]/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/**
 * A line that was rewritten (a progress bar) as its last state.
 * @param {string} line
 */
export function collapse(line) {
  const parts = line.replace(/\r+$/, "").split("\r");
  return parts.findLast((part) => part !== "") ?? "";
}

/**
 * @param {string} line
 * @returns {Span[]}
 */
export function spans(line) {
  const text = collapse(line);
  /** @type {Span[]} */
  const out = [];
  /** @type {Set<string>} */
  let on = new Set();
  let at = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    push(out, text.slice(at, match.index), on);
    if (match[2] === "m") on = applied(on, match[1]);
    at = match.index + match[0].length;
  }
  push(out, text.slice(at), on);
  return out;
}

/** @param {string} line */
export function plain(line) {
  return spans(line)
    .map(({ text }) => text)
    .join("");
}

/** @param {Span[]} out @param {string} text @param {Set<string>} on */
function push(out, text, on) {
  const clean = text.replace(CONTROL, "");
  if (clean) out.push({ text: clean, classes: [...on].map((name) => `ansi-${name}`) });
}

/**
 * @param {Set<string>} on
 * @param {string} codes such as "1;31"
 */
function applied(on, codes) {
  let next = new Set(on);
  const list = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < list.length; i++) {
    if (list[i] === 38 || list[i] === 48) {
      i += list[i + 1] === 5 ? 2 : 4; // 256 and 24-bit colours have no place in the tokens
    } else {
      next = switched(next, list[i]);
    }
  }
  return next;
}

/** @param {Set<string>} on @param {number} code */
function switched(on, code) {
  if (code === 0) return new Set();
  const off = OFF.get(code);
  if (off) return new Set([...on].filter((name) => !off.includes(name)));
  const colour = COLOURS[code - 30] ?? COLOURS[code - 90];
  if (colour) return new Set([...on].filter((name) => !COLOURS.includes(name))).add(colour);
  const style = STYLES.get(code);
  return style ? new Set(on).add(style) : on;
}
