import { find, h, icon, say } from "tidelog/dom";

/**
 * Text with a button that copies it, and one that reveals a masked secret in it.
 *
 *     <tl-copy><pre>pip install tidelog</pre></tl-copy>
 *     <tl-copy secret="tl_..."><pre>tidelog login ••••••••</pre></tl-copy>
 *
 * What is copied is always the whole text, never the mask.
 */
export class TlCopy extends HTMLElement {
  #shown = false;
  #masked = "";

  connectedCallback() {
    if (this.querySelector("button")) return;
    this.#masked = find(this, "pre").textContent ?? "";
    if (this.secret) this.append(this.#reveal());
    this.append(this.#copy());
  }

  get secret() {
    return this.getAttribute("secret") ?? "";
  }

  get text() {
    return this.secret ? this.#masked.replace(/•+/, this.secret) : this.#masked;
  }

  #copy() {
    const label = this.getAttribute("label") ?? "Copy";
    const button = h(
      "button",
      { class: "btn ghost", type: "button", "aria-label": label },
      icon("copy"),
      "Copy",
    );
    button.onclick = async () => {
      await navigator.clipboard.writeText(this.text);
      button.replaceChildren(icon("tick"), "Copied");
      say("Copied");
      setTimeout(() => button.replaceChildren(icon("copy"), "Copy"), 2000);
    };
    return button;
  }

  #reveal() {
    const button = h(
      "button",
      { class: "btn ghost icon", type: "button", "aria-label": "Show key" },
      icon("eye"),
    );
    button.onclick = () => {
      this.#shown = !this.#shown;
      find(this, "pre").textContent = this.#shown ? this.text : this.#masked;
      button.replaceChildren(icon(this.#shown ? "eye-off" : "eye"));
      button.setAttribute("aria-label", this.#shown ? "Hide key" : "Show key");
    };
    return button;
  }
}

customElements.define("tl-copy", TlCopy);
