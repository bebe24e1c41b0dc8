import { DASHES } from "tidelog/palette";

/**
 * Drawing of lines on a canvas, in device pixels.
 *
 * @typedef {object} Frame where the plot lies and how values become pixels
 * @property {CanvasRenderingContext2D} ctx
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} ratio device pixels for each CSS pixel
 * @property {(x: number) => number} px
 * @property {(y: number) => number} py
 *
 * @typedef {object} Stroke
 * @property {string} colour
 * @property {number} dash index into the palette's dashes
 * @property {number} width CSS pixels
 * @property {number} alpha
 */

/**
 * @param {Frame} frame
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {Stroke} stroke
 */
export function line(frame, x, y, stroke) {
  const { ctx, ratio } = frame;
  ctx.globalAlpha = stroke.alpha;
  ctx.strokeStyle = stroke.colour;
  ctx.lineWidth = stroke.width * ratio;
  ctx.lineJoin = "round";
  ctx.setLineDash(DASHES[stroke.dash].map((part) => part * ratio));
  ctx.beginPath();
  trace(frame, x, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** @param {Frame} frame @param {Float64Array} x @param {Float64Array} y */
function trace({ ctx, px, py }, x, y) {
  let down = false;
  for (let i = 0; i < x.length; i++) {
    const at = py(y[i]);
    if (!Number.isFinite(at)) {
      down = false;
      continue;
    }
    if (down) ctx.lineTo(px(x[i]), at);
    else if (i + 1 >= x.length || !Number.isFinite(py(y[i + 1]))) dot(ctx, px(x[i]), at);
    else ctx.moveTo(px(x[i]), at);
    down = true;
  }
}

/** A point with no neighbour, which a line alone would not show. */
/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y */
function dot(ctx, x, y) {
  const r = ctx.lineWidth;
  ctx.moveTo(x + r, y);
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.moveTo(x, y);
}

/**
 * @param {Frame} frame
 * @param {Float64Array} x
 * @param {Float64Array} lo
 * @param {Float64Array} hi
 * @param {string} colour
 * @param {number} alpha
 */
export function band({ ctx, px, py }, x, lo, hi, colour, alpha) {
  ctx.globalAlpha = alpha;
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (let i = 0; i < x.length; i++) ctx.lineTo(px(x[i]), py(hi[i]));
  for (let i = x.length - 1; i >= 0; i--) ctx.lineTo(px(x[i]), py(lo[i]));
  ctx.fill();
  ctx.globalAlpha = 1;
}

/**
 * The end of a line: a dot with a halo while it grows, a cross where it broke.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {string} state
 * @param {string} colour
 * @param {number} alpha
 */
export function end(frame, x, y, state, colour, alpha) {
  if (!Number.isFinite(frame.py(y))) return;
  const { ctx, ratio } = frame;
  const [cx, cy] = [frame.px(x), frame.py(y)];
  ctx.globalAlpha = alpha;
  if (state === "running") {
    disc(ctx, cx, cy, 3 * ratio, colour);
    ctx.globalAlpha = alpha * 0.25;
    disc(ctx, cx, cy, 6 * ratio, colour);
  } else if (state === "failed" || state === "crashed") {
    cross(ctx, cx, cy, 3.5 * ratio, colour, 1.75 * ratio);
  }
  ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} r @param {string} colour */
function disc(ctx, x, y, r, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fill();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} r @param {string} colour @param {number} width */
function cross(ctx, x, y, r, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x - r, y - r);
  ctx.lineTo(x + r, y + r);
  ctx.moveTo(x + r, y - r);
  ctx.lineTo(x - r, y + r);
  ctx.stroke();
}

/**
 * The crosshair, and a ringed dot on each line in the panel under the pointer.
 * @param {Frame} frame
 * @param {number} x
 * @param {{ y: number, x: number, colour: string }[]} dots
 * @param {{ cross: string, surface: string }} colours
 */
export function crosshair(frame, x, dots, colours) {
  const { ctx, ratio } = frame;
  const at = Math.round(frame.px(x)) + 0.5;
  ctx.strokeStyle = colours.cross;
  ctx.globalAlpha = dots.length ? 0.9 : 0.55;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(at, frame.top);
  ctx.lineTo(at, frame.top + frame.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  for (const { x: dx, y, colour } of dots) {
    disc(ctx, frame.px(dx), frame.py(y), 4.25 * ratio, colours.surface);
    disc(ctx, frame.px(dx), frame.py(y), 3 * ratio, colour);
  }
}

/** A small arrow at the frame's edge, where a line leaves it. */
/** @param {Frame} frame @param {number} x @param {boolean} up @param {string} colour */
export function leaving({ ctx, px, top, height, ratio }, x, up, colour) {
  const [at, edge, way] = [px(x), up ? top : top + height, up ? 1 : -1];
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(at, edge);
  ctx.lineTo(at - 4 * ratio, edge + 6 * ratio * way);
  ctx.lineTo(at + 4 * ratio, edge + 6 * ratio * way);
  ctx.fill();
}
