// Signing in, and choosing a password.

import { post, put } from "./api.js";
import { find } from "./dom.js";

function say(words) {
  const problem = find("#problem");
  problem.textContent = words;
  problem.hidden = !words;
}

async function send(form, ask) {
  const button = find("button", form);
  button.disabled = true;
  say("");
  try {
    await ask(Object.fromEntries(new FormData(form)));
  } catch (error) {
    say(error.words ?? String(error.message));
    button.disabled = false;
    find("input[type=password]", form).select();
  }
}

find("#login")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  send(form, async ({ name, password }) => {
    const told = await post("session", { name, password });
    location.assign(told.must_change ? "/password" : form.dataset.after);
  });
});

find("#password")?.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, async ({ old, new: chosen, again }) => {
    if (chosen !== again) throw new Error("the two new passwords differ; write the same twice");
    await put("session/password", { old, new: chosen });
    location.assign("/live");
  });
});
