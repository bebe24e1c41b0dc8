import { ask } from "tidelog/api";
import { find, h } from "tidelog/dom";
import { parsed, spelled, told } from "tidelog/fields";
import { toast } from "tidelog/toast";

/**
 * Text that is changed where it stands: Enter saves, Escape restores. What was typed is shown
 * at once; the toast takes it back.
 *
 *     <tl-edit field="name" text="tide-swift"> <h1 data-shown>…</h1> <button data-edit>…</button> </tl-edit>
 *
 * Without a `data-edit` button it only shows what others change.
 */
export class TlEdit extends HTMLElement {
  /** The run's address, set by the page. */
  url = "";
  /** @type {import("tidelog/fields").Value} */
  #value = "";
  /** @type {HTMLElement | undefined} */
  #form;

  connectedCallback() {
    this.#value = parsed(this.field, this.getAttribute("text") ?? "") ?? "";
    this.#button?.addEventListener("click", () => this.open());
    if (this.#button) find(this, "[data-shown]").addEventListener("dblclick", () => this.open());
  }

  get field() {
    return /** @type {import("tidelog/fields").Field} */ (this.getAttribute("field"));
  }

  /** @returns {HTMLElement | null} */
  get #button() {
    return this.querySelector("[data-edit]");
  }

  /** What the server says now. @param {import("tidelog/fields").Value} value */
  accept(value) {
    if (!this.#form && spelled(value) !== spelled(this.#value)) this.#show(value);
  }

  open() {
    if (this.#form) return;
    const input = this.#input();
    this.#form = h("div", { class: "edit-form" }, input, ...this.#buttons(input));
    find(this, "[data-shown]").hidden = true;
    if (this.#button) this.#button.hidden = true;
    this.append(this.#form);
    input.onkeydown = (/** @type {KeyboardEvent} */ event) => this.#keys(event, input);
    input.focus();
    input.select();
  }

  #input() {
    const long = this.field === "notes";
    const attributes = { class: "input", "aria-label": LABELS[this.field], spellcheck: "false" };
    const input = h(long ? "textarea" : "input", attributes);
    input.value = spelled(this.#value);
    if (input instanceof HTMLTextAreaElement) input.rows = 8;
    else input.maxLength = this.field === "name" ? 200 : 2000;
    return input;
  }

  /** @param {HTMLInputElement | HTMLTextAreaElement} input */
  #buttons(input) {
    const save = h("button", { class: "btn primary", type: "button" }, "Save");
    const cancel = h("button", { class: "btn ghost", type: "button" }, "Cancel");
    save.onclick = () => this.#save(input.value);
    cancel.onclick = () => this.#close();
    const hint = HINTS[this.field];
    return [save, cancel, ...(hint ? [h("span", { class: "facts" }, hint)] : [])];
  }

  /** @param {KeyboardEvent} event @param {HTMLInputElement | HTMLTextAreaElement} input */
  #keys(event, input) {
    const whole = this.field !== "notes" || event.ctrlKey || event.metaKey;
    if (event.key === "Escape") this.#close();
    else if (event.key === "Enter" && whole && !event.isComposing) this.#save(input.value);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #close() {
    this.#form?.remove();
    this.#form = undefined;
    find(this, "[data-shown]").hidden = false;
    if (this.#button) {
      this.#button.hidden = false;
      this.#button.focus();
    }
  }

  /** @param {string} text */
  #save(text) {
    const value = parsed(this.field, text);
    if (value === null) return;
    const before = this.#value;
    this.#close();
    if (spelled(value) === spelled(before)) return;
    this.#put(value, before, () => this.#put(before, value));
  }

  /**
   * Show it at once, then tell the server; if that fails, what was there comes back.
   * @param {import("tidelog/fields").Value} value
   * @param {import("tidelog/fields").Value} before
   * @param {() => void} [undo]
   */
  async #put(value, before, undo) {
    this.#show(value);
    try {
      await ask(this.url, { method: "PATCH", body: { [this.field]: value } });
      toast(told(this.field, value), undo && { label: "Undo", act: undo });
      if (this.field === "notes") await this.#render();
    } catch (error) {
      this.#show(before);
      toast(`Could not save. ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {import("tidelog/fields").Value} value */
  #show(value) {
    const mine = this.field === "notes" && this.#value !== value;
    this.#value = value;
    const shown = find(this, "[data-shown]");
    if (Array.isArray(value)) {
      shown.replaceChildren(...value.map((tag) => h("span", { class: "tag" }, tag)));
    } else {
      shown.textContent = value;
    }
    if (mine) this.#render();
  }

  /** Markdown is made, and cleaned, by the server alone. */
  async #render() {
    const address = this.getAttribute("rendered");
    if (!address) return;
    const answer = await ask(address, { accept: "text/html" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    find(this, "[data-shown]").replaceChildren(...page.body.childNodes);
  }
}

const LABELS = { name: "Name", tags: "Tags, with commas between them", notes: "Notes" };
const HINTS = { name: "", tags: "Commas between tags", notes: "Markdown. Ctrl Enter saves" };

customElements.define("tl-edit", TlEdit);
