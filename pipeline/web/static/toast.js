// Short words about what was done, with the way back. They stay long enough to be read twice.

import { find, icon, make } from "./dom.js";

const STAYS_MS = 15000;
const MOST = 3;

export function toast(words, { undo = null, isBad = false } = {}) {
  const place = find("#toasts");
  const element = make("div", { class: isBad ? "toast bad" : "toast" }, make("span", {}, words));
  const away = () => element.remove();
  if (undo) {
    element.append(make("button", { type: "button", onclick: () => { away(); undo(); } }, icon("undo"), "Undo"));
  }
  element.append(make("button", { type: "button", class: "plain", "aria-label": "Close this message", onclick: away }, icon("close")));
  place.append(element);
  while (place.children.length > MOST) place.firstChild.remove();
  let timer = setTimeout(away, STAYS_MS);
  const wait = () => clearTimeout(timer);
  const goOn = () => { wait(); timer = setTimeout(away, STAYS_MS); };
  element.addEventListener("pointerenter", wait);
  element.addEventListener("focusin", wait);
  element.addEventListener("pointerleave", goOn);
  element.addEventListener("focusout", goOn);
  return away;
}

// Tells an ApiError, or whatever else went wrong.
export function tell(error) {
  if (error.name === "AbortError") return;
  toast(error.words ?? String(error.message), { isBad: true });
}
