/** Pages without live data: the frame, fields that copy, and where one was lately. */

import { h } from "tidelog/dom";
import { recent } from "tidelog/recent";
import "tidelog/shell";
import "tidelog/elements/copy";

// Only projects that the page lists: others went, or are no longer mine to see.
const shown = recent().filter((url) =>
  document.querySelector(`.table a[href="${CSS.escape(url)}"]`),
);
const strip = document.getElementById("recent");
if (strip && shown.length > 1) {
  strip.hidden = false;
  const name = (/** @type {string} */ url) => decodeURI(url).replace(/^\/|\/$/g, "");
  strip.append(...shown.map((url) => h("a", { class: "btn", href: url }, name(url))));
}
