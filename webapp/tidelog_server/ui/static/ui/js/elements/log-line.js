import { spans } from "tidelog/ansi";
import { h } from "tidelog/dom";
import { clock, stopwatch } from "tidelog/format";

/** @typedef {"off" | "clock" | "since"} Times */

/**
 * One line of a log: its number, which is its link, its time if wanted, its coloured text.
 * @param {number} at from 0
 * @param {import("tidelog/data/loglines").LogLine | undefined} line
 * @param {Times} times
 * @param {number} began seconds since the epoch
 */
export function logLine(at, line, times, began) {
  const text = h("span", { class: "t" });
  for (const part of spans(line?.text ?? "")) {
    text.append(h("span", { class: part.classes.join(" ") || undefined }, part.text));
  }
  const title = line ? clock(line.time) : "";
  const number = h("a", { class: "n", href: `#L${at + 1}`, title }, String(at + 1));
  const row = h("div", { class: "log-line" }, number);
  if (times !== "off") row.append(h("span", { class: "at", title }, said(line, times, began)));
  row.append(text);
  row.classList.toggle("err", line?.fd === 2);
  return row;
}

/**
 * @param {import("tidelog/data/loglines").LogLine | undefined} line
 * @param {Times} times
 * @param {number} began
 */
function said(line, times, began) {
  if (!line) return "";
  return times === "clock" ? clock(line.time) : stopwatch(line.time - began);
}
