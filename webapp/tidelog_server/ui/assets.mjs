/**
 * Copy the front-end libraries out of node_modules into static/vendor, where Django serves them.
 *
 * uPlot's smallest build sets a global; one export line makes it the module that ours import.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "../../../node_modules");
const vendor = join(here, "static/vendor");

const copies = [
  ["@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "fonts/inter.woff2"],
  ["@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2", "fonts/inter-ext.woff2"],
  [
    "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    "fonts/jetbrains-mono.woff2",
  ],
  ["@fontsource-variable/inter/LICENSE", "fonts/inter.LICENSE.txt"],
  ["@fontsource-variable/jetbrains-mono/LICENSE", "fonts/jetbrains-mono.LICENSE.txt"],
  ["uplot/dist/uPlot.min.css", "uplot/uplot.css"],
  ["uplot/LICENSE", "uplot/LICENSE.txt"],
];

rmSync(vendor, { recursive: true, force: true });
for (const [from, to] of copies) {
  mkdirSync(dirname(join(vendor, to)), { recursive: true });
  copyFileSync(join(modules, from), join(vendor, to));
}
const uplot = readFileSync(join(modules, "uplot/dist/uPlot.iife.min.js"), "utf8");
writeFileSync(join(vendor, "uplot/uplot.js"), `${uplot}\nexport default uPlot;\n`);
