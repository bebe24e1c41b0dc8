/** How a run is told from the others: hue, dash and marker, all from one stored index. */

/** Dash patterns of the palette, in CSS pixels. */
export const DASHES = [[], [6, 3], [2, 2.5]];

/**
 * The look of palette index `color` (0 and up). The palette has twelve hues: the first six
 * solid, four dashed, two dotted; each further round takes the next dash.
 * @param {number} color
 * @returns {{ hue: number, marker: number, dash: number }}  hue is 1 to 12
 */
export function look(color) {
  const index = ((color % 12) + 12) % 12;
  const round = Math.floor(Math.max(0, color) / 12);
  const own = index < 6 ? 0 : index < 10 ? 1 : 2;
  return { hue: index + 1, marker: index % 6, dash: (own + round) % 3 };
}
