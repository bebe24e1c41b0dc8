import { json } from "tidelog/api";
import { groups, HEADS, matching, question, visited } from "tidelog/commands";
import { h, icon } from "tidelog/dom";
import { chooseTheme, openHelp } from "tidelog/shell";

/** @typedef {import("tidelog/commands").Entry} Entry */

const RECENT = "tidelog.recent";
const TYPING = 60;
const ICONS = /** @type {Record<string, string>} */ ({
  recent: "clock",
  run: "runs",
  metric: "log",
  project: "projects",
  page: "board",
  command: "terminal",
});

/**
 * The one dialog that finds everything: what the server knows, pages, and commands.
 * A combobox over a listbox: the focus stays in the field, the arrows move the choice.
 */
class Command {
  #field = h("input", {
    type: "text",
    role: "combobox",
    "aria-label": "Search",
    "aria-expanded": "true",
    "aria-controls": "found",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Search runs, metrics, projects, pages; > for commands",
  });
  #list = h("div", { id: "found", class: "found", role: "listbox", "aria-label": "Found" });
  #dialog = h("dialog", { class: "command", "aria-label": "Search and commands" });
  /** @type {Entry[]} in the order shown */
  #entries = [];
  #chosen = 0;
  /** Whether the arrows or the pointer chose; else the first entry is. */
  #moved = false;
  #asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  /** @param {HTMLElement} opener */
  constructor(opener) {
    this.opener = opener;
    const field = h("div", { class: "command-field" }, icon("search"), this.#field);
    this.#dialog.append(field, this.#list);
    this.#field.oninput = () => this.#typed();
    this.#dialog.onkeydown = (event) => this.#keys(event);
    this.#dialog.onclick = (event) => event.target === this.#dialog && this.#dialog.close();
    document.body.append(this.#dialog);
  }

  open() {
    this.#field.value = "";
    this.#moved = false;
    this.#dialog.showModal();
    this.#field.focus();
    this.#ask();
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#moved = false;
    this.#show(this.#own());
    this.#typing = setTimeout(() => this.#ask(), TYPING);
  }

  /** What needs no server. */
  #own() {
    const { text, only } = question(this.#field.value);
    const recent = text || only ? [] : read();
    const places = only ? [] : pages();
    return [...recent, ...matching([...places, ...COMMANDS], text)];
  }

  async #ask() {
    const { text, only } = question(this.#field.value);
    const number = ++this.#asked;
    this.#show(this.#own());
    if (only) return;
    const { url, in: project } = this.opener.dataset;
    const asked = new URLSearchParams({ q: text, in: project ?? "" });
    const { found } = await json(`${url}?${asked}`).catch(() => ({ found: [] }));
    if (number === this.#asked) this.#show([...this.#own(), ...found]);
  }

  /** @param {Entry[]} entries */
  #show(entries) {
    const parts = groups(entries);
    const before = this.#moved ? this.#entries[this.#chosen] : undefined;
    this.#entries = parts.flatMap(([, list]) => list);
    const again = this.#entries.findIndex((entry) => before && same(entry, before));
    this.#chosen = Math.max(0, again);
    let at = 0;
    const made = parts.map(([kind, list]) =>
      group(
        kind,
        list.map((entry) => this.#option(entry, at++)),
      ),
    );
    const none = h("p", { class: "none" }, `Nothing matches ${this.#field.value}.`);
    this.#list.replaceChildren(...(made.length ? made : [none]));
    this.#mark();
  }

  /** @param {Entry} entry @param {number} at */
  #option(entry, at) {
    const attributes = { class: "option", role: "option", id: `found-${at}` };
    const option = h("div", attributes, icon(ICONS[entry.kind]), h("span", {}, entry.text));
    if (entry.note) option.append(h("small", {}, entry.note));
    option.onclick = () => this.#go(entry);
    option.onpointermove = () => this.#choose(at);
    return option;
  }

  /** @param {number} at */
  #choose(at) {
    if (at === this.#chosen) return;
    this.#moved = true;
    this.#chosen = at;
    this.#mark();
  }

  #mark() {
    for (const option of this.#list.querySelectorAll(".option")) {
      option.setAttribute("aria-selected", String(option.id === `found-${this.#chosen}`));
    }
    const chosen = this.#list.querySelector(`#found-${this.#chosen}`);
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) this.#field.setAttribute("aria-activedescendant", chosen.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #keys(event) {
    event.stopPropagation();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = this.#entries.length;
    if (by && count) this.#choose((this.#chosen + by + count) % count);
    else if (event.key === "Enter" && count) this.#go(this.#entries[this.#chosen]);
    else return;
    event.preventDefault();
  }

  /** @param {Entry} entry */
  #go(entry) {
    this.#dialog.close();
    if (entry.act) entry.act();
    else if (entry.url) {
      if (entry.kind !== "page") write(visited(read(), entry));
      location.assign(entry.url);
    }
  }
}

/** @param {string} kind @param {HTMLElement[]} options */
function group(kind, options) {
  const head = h("div", { class: "group-head", "aria-hidden": "true" }, HEADS[kind]);
  return h("div", { role: "group", "aria-label": HEADS[kind] }, head, ...options);
}

/** @param {Entry} a @param {Entry} b */
const same = (a, b) => a.kind === b.kind && a.text === b.text && a.url === b.url;

/** @returns {Entry[]} */
function read() {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? "[]");
  } catch {
    return []; // a list that cannot be read is as good as none
  }
}

/** @param {Entry[]} recent */
const write = (recent) => localStorage.setItem(RECENT, JSON.stringify(recent));

/** The pages in the rail and the run's tabs. @returns {Entry[]} */
function pages() {
  const links = document.querySelectorAll(".rail a, .tabs a");
  return [...links].map((link) => ({
    kind: "page",
    text: link.textContent?.trim() ?? "",
    url: /** @type {HTMLAnchorElement} */ (link).href,
  }));
}

/** @param {string} selector */
const press = (selector) =>
  /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();

function toggleTheme() {
  const media = document.getElementById("dark")?.getAttribute("media") ?? "";
  chooseTheme(matchMedia(media).matches ? "light" : "dark");
}

/** Commands of every page, then those whose button is on this one. @type {Entry[]} */
const COMMANDS = [
  { kind: "command", text: "Toggle dark theme", act: toggleTheme },
  { kind: "command", text: "Use the theme of the system", act: () => chooseTheme("system") },
  { kind: "command", text: "Show the keyboard list", act: openHelp },
  ...[
    ["Toggle log y", "[data-tool=log]"],
    ["Toggle sync zoom", "[data-tool=sync]"],
    ["Toggle ignore outliers", "[data-tool=outliers]"],
    ["Show or hide the run list", "#toggle-runs"],
    ["Show the first 10 runs", "[data-show=first]"],
    ["Show only running runs", "[data-show=running]"],
    ["Edit the run's notes", "[field=notes] [data-edit]"],
    ["Delete the run", "[data-delete]"],
    ["Sign out", "#account-menu [type=submit]"],
  ]
    .filter(([, selector]) => document.querySelector(selector))
    .map(([text, selector]) => ({ kind: "command", text, act: () => press(selector) })),
];

/** @type {Command | undefined} */
let command;

/** @param {HTMLElement} opener the search field of the top bar */
export function openCommand(opener) {
  command ??= new Command(opener);
  command.open();
}
