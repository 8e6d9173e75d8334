// A question before something is done: a reason, often one of a few.

import { fill, find, make } from "./dom.js";

// Answers the reason, or null if they left it. The page holds <dialog id="ask">, see alerts.html.
export function ask({ title, label, often = [], yes = "Do it", isNeeded = false }) {
  const dialog = find("#ask");
  const form = find("form", dialog);
  const reason = form.elements.reason;
  fill(find("#ask-title"), title);
  fill(find("#ask-label"), label);
  fill(find("#ask-yes"), yes);
  fill(find("#ask-often"), often.map((words) => make("button", { type: "button", onclick: () => { reason.value = words; find("#ask-yes").focus(); } }, words)));
  reason.value = "";
  reason.required = isNeeded;
  dialog.returnValue = "";
  dialog.showModal();
  reason.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes" ? reason.value.trim() : null), { once: true });
  });
}
