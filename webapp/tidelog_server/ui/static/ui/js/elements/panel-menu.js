import { h, icon } from "tidelog/dom";
import { csv } from "tidelog/legend";
import { tokens } from "tidelog/theme";
import { toast } from "tidelog/toast";

/** The menu of a panel: one for the page, filled for the panel whose button was pressed. */
const menu = h("div", { class: "menu", id: "panel-menu", popover: "auto", "aria-label": "Panel" });
document.body.append(menu);

/**
 * @param {import("tidelog/elements/panel").TlPanel} panel
 * @param {HTMLElement} button
 */
export function openMenu(panel, button) {
  const inFull = Boolean(panel.closest(".full"));
  const items = [
    ...(inFull ? [] : [item("full", "Full screen", () => panel.fill())]),
    item("log", panel.log ? "Linear y" : "Log y", () => panel.toggleLog()),
    item("table", "Show as table", () => panel.toggleTable()),
    item("link", "Copy link", () => copyLink(panel.key)),
    item("image", "Download PNG", () => png(panel)),
    item("download", "Download CSV", () => table(panel)),
  ];
  menu.replaceChildren(...items);
  menu.showPopover();
  const box = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - 8));
  const below = box.bottom + 4 + menu.offsetHeight < innerHeight;
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty(
    "top",
    `${below ? box.bottom + 4 : Math.max(8, box.top - 4 - menu.offsetHeight)}px`,
  );
  items[0].focus();
}

/** @param {string} name @param {string} text @param {() => void} act */
function item(name, text, act) {
  const button = h("button", { class: "item", type: "button" }, icon(name), text);
  button.onclick = () => {
    menu.hidePopover();
    act();
  };
  return button;
}

/** @param {string} key */
async function copyLink(key) {
  const url = new URL(location.href);
  url.searchParams.set("panel", key);
  await navigator.clipboard.writeText(url.href);
  toast(`Copied the link to ${key}.`);
}

/** The chart as it is on screen, on the theme's ground and with its title. */
/** @param {import("tidelog/elements/panel").TlPanel} panel */
function png(panel) {
  const picture = panel.lines.picture;
  if (!picture) return;
  const head = 28 * devicePixelRatio;
  const copy = document.createElement("canvas");
  copy.width = picture.width;
  copy.height = picture.height + head;
  const pen = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
  const { surface, label, font } = tokens();
  pen.fillStyle = surface;
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(picture, 0, head);
  pen.fillStyle = label;
  pen.font = `500 ${12 * devicePixelRatio}px ${font}`;
  pen.fillText(panel.key, 12 * devicePixelRatio, 18 * devicePixelRatio);
  copy.toBlob((blob) => blob && save(blob, `${fileName(panel.key)}.png`));
}

/** @param {import("tidelog/elements/panel").TlPanel} panel */
function table(panel) {
  const text = csv(panel.lines.lines, panel.desk?.view.now.x ?? "step");
  save(new Blob([text], { type: "text/csv" }), `${fileName(panel.key)}.csv`);
}

/** @param {string} key */
const fileName = (key) => key.replace(/[^\w.-]+/g, "-");

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
