// Deciding who is who: acts at once, says what changed, and offers the way back, also after the
// page was loaded anew.

import { post } from "./api.js";
import { fill, find, make } from "./dom.js";
import { tell, toast } from "./toast.js";

const SAID = "noctule said";

// Posts a verdict; then the page shows what is so now.
export async function decide(kind, body, { after = null } = {}) {
  try {
    const verdict = await post(`verdicts/${kind}`, body);
    sessionStorage.setItem(SAID, JSON.stringify({ words: verdict.says, verdict: verdict.verdict, back: location.pathname + location.search }));
    const where = after ? after(verdict) : null;
    if (where && where !== location.pathname) location.assign(where);
    else location.reload();
  } catch (error) { tell(error); }
}

export async function undo(verdict, back = null) {
  try {
    const taken = await post(`verdicts/${verdict}/undo`, {});
    sessionStorage.setItem(SAID, JSON.stringify({ words: taken.says, verdict: taken.verdict, back: location.pathname + location.search }));
    if (back && back !== location.pathname + location.search) location.assign(back);
    else location.reload();
  } catch (error) { tell(error); }
}

// Says what was done before the page was loaded; the last verdict, for the key `u`.
export function sayAgain() {
  const kept = sessionStorage.getItem(SAID);
  if (!kept) return null;
  sessionStorage.removeItem(SAID);
  const { words, verdict, back } = JSON.parse(kept);
  toast(words, { undo: () => undo(verdict, back) });
  return () => undo(verdict, back);
}

// Asks with one dialog; resolves to {other, reason}, or null when it is left.
export function question({ title, words, yes, known = null }) {
  const dialog = find("#decide");
  fill(find("#decide-title"), title);
  fill(find("#decide-words"), words);
  fill(find("#decide-yes"), yes);
  find("#decide-reason").value = "";
  const other = find("#decide-other");
  find("#decide-other-field").hidden = known === null;
  other.required = known !== null;
  other.pattern = "[Pp]-?[0-9]+";
  other.title = "a person such as P-0412";
  other.value = "";
  fill(find("#decide-known"), (known ?? []).map((name) => make("option", { value: name })));
  dialog.returnValue = "";
  dialog.showModal();
  (known === null ? find("#decide-reason") : other).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? { other: other.value.trim(), reason: find("#decide-reason").value.trim() } : null);
    }, { once: true });
  });
}
