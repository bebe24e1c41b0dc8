import { h, say } from "tidelog/dom";

const LASTING = 8000;

/** @type {HTMLElement | undefined} */
let shown;

/**
 * Say how an act went, at the bottom left, for eight seconds; it waits while it is looked at.
 * @param {string} text
 * @param {{ label: string, act: () => void }} [offer] such as "Undo"
 */
export function toast(text, offer) {
  shown?.remove();
  const box = h("div", { class: "toast", role: "status" }, h("span", {}, text));
  shown = box;
  if (offer) box.append(offered(box, offer));
  document.body.append(box);
  say(offer ? `${text} ${offer.label} is offered.` : text);
  linger(box);
}

/** @param {HTMLElement} box @param {{ label: string, act: () => void }} offer */
function offered(box, { label, act }) {
  const button = h("button", { class: "linklike", type: "button" }, label);
  button.onclick = () => {
    box.remove();
    act();
  };
  return button;
}

/** @param {HTMLElement} box */
function linger(box) {
  let timer = setTimeout(() => box.remove(), LASTING);
  const wait = () => clearTimeout(timer);
  const resume = () => {
    timer = setTimeout(() => box.remove(), LASTING);
  };
  box.addEventListener("pointerenter", wait);
  box.addEventListener("focusin", wait);
  box.addEventListener("pointerleave", resume);
  box.addEventListener("focusout", resume);
}
