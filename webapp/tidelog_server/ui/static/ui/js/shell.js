import { ago, clock } from "tidelog/format";
import { setTheme } from "tidelog/theme";

/** What every page has: the theme switch, menus, and the list of keys. */

/** Put a popover under the button that opened it, inside the window. */
/** @param {ToggleEvent} event */
function place(event) {
  const menu = /** @type {HTMLElement} */ (event.target);
  if (!menu.matches?.(".menu") || event.newState !== "open") return;
  const opener = document.querySelector(`[popovertarget="${menu.id}"]`);
  const box = opener?.getBoundingClientRect();
  if (!box) return;
  const right = box.left + menu.offsetWidth > innerWidth - 8;
  menu.style.setProperty("top", `${box.bottom + 4}px`);
  menu.style.setProperty("left", right ? "auto" : `${box.left}px`);
  menu.style.setProperty("right", right ? `${Math.max(8, innerWidth - box.right)}px` : "auto");
}

/** @param {string} name light, dark or system */
export function chooseTheme(name) {
  setTheme(name);
  for (const item of document.querySelectorAll("[data-set-theme]")) {
    item.setAttribute("aria-checked", String(item.getAttribute("data-set-theme") === name));
  }
}

/** @param {Event} event */
function themeClicked(event) {
  const item = /** @type {Element} */ (event.target).closest?.("[data-set-theme]");
  const name = /** @type {HTMLElement | null} */ (item)?.dataset.setTheme;
  if (!name) return;
  chooseTheme(name);
  document.getElementById("theme-menu")?.hidePopover();
}

/** Whether a single letter typed now belongs to a field. @param {KeyboardEvent} event */
export function typing(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const field = target.closest("input:not([type=range]), textarea, select, [contenteditable]");
  return Boolean(field) || event.ctrlKey || event.metaKey || event.altKey;
}

/** @param {KeyboardEvent} event */
function helpKey(event) {
  if (event.key === "?" && !typing(event)) openHelp();
}

export function openHelp() {
  const help = /** @type {HTMLDialogElement | null} */ (document.getElementById("keys"));
  help?.showModal();
}

/** Rewrite "3 min ago" as time goes by. */
function refreshTimes() {
  const now = Date.now() / 1000;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const then = Date.parse(time.getAttribute("datetime") ?? "") / 1000;
    if (Number.isFinite(then)) time.textContent = ago(then, now);
  }
}

/** @type {((opener: HTMLElement) => void) | undefined} */
let openCommand;

/**
 * Search and commands; the dialog is fetched when it is first wanted. From then on it opens
 * before the next key is read, so that an `Esc` right behind `Ctrl K` finds it open.
 */
async function openFind() {
  const button = document.getElementById("open-find");
  if (!button || document.querySelector("dialog[open]")) return;
  openCommand ??= (await import("tidelog/elements/command")).openCommand;
  openCommand(button);
}

/** @param {KeyboardEvent} event */
function findKey(event) {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey)
    return;
  event.preventDefault();
  openFind();
}

document.addEventListener("keydown", findKey);
document.getElementById("open-find")?.addEventListener("click", openFind);
document.addEventListener("toggle", (event) => place(/** @type {ToggleEvent} */ (event)), true);
document.addEventListener("click", themeClicked);
document.addEventListener("keydown", helpKey);
document.getElementById("open-keys")?.addEventListener("click", openHelp);
refreshTimes();
setInterval(refreshTimes, 10_000);

const LABELS = /** @type {Record<string, (live: import("tidelog/data/live").Live) => string>} */ ({
  connecting: () => "Connecting",
  live: () => "Live",
  polling: () => "Live, every 5 s",
  reconnecting: (live) => `Reconnecting in ${Math.max(0, live.wait)} s`,
  offline: (live) => `Offline, showing data from ${clock(live.heard / 1000).slice(0, 5)}`,
  paused: () => "Paused",
  "signed-out": () => "Signed out",
  gone: () => "No longer here",
});

/**
 * The badge in the top bar, the only place that reports the connection.
 * @param {import("tidelog/data/live").Live} live
 * @param {() => string} note what is being watched, such as "3 runs"
 */
export function showLive(live, note) {
  const badge = document.getElementById("live");
  const text = document.getElementById("live-text");
  const now = document.getElementById("live-now");
  const beside = document.getElementById("live-note");
  if (!badge || !text || !now || !beside) return;
  const write = () => {
    badge.hidden = false;
    badge.dataset.state = live.state === "polling" ? "live" : live.state;
    const label = LABELS[live.state](live);
    if (text.textContent !== label) text.textContent = label;
    now.hidden = !["reconnecting", "polling", "offline"].includes(live.state);
  };
  const tell = () => {
    const line = `${note()}, updated ${ago(live.heard / 1000, Date.now() / 1000)}`;
    if (beside.textContent !== line) beside.textContent = line;
  };
  now.addEventListener("click", () => live.now());
  live.addEventListener("state", write);
  setInterval(tell, 1000);
  write();
}
