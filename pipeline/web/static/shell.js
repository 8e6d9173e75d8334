// What every page does: the clock goes on, the health stays true, keys lead from page to page.

import { get, remove } from "./api.js";
import { fill, find, findAll, unseen } from "./dom.js";
import { bind, showHelp, turn } from "./keys.js";
import { closePanel, isPanelOpen } from "./panel.js";
import { clock, now_us, setNow, utc, when } from "./times.js";
import { tell } from "./toast.js";

const PULSE_MS = 5000;
const IDLE_MS = 15 * 60 * 1000;
let touched = Date.now();
let failures = 0;
const title = document.title;

function tick() {
  const element = find("#clock");
  const time_us = now_us();
  element.textContent = clock(time_us);
  element.title = utc(time_us);
  element.dateTime = `${new Date(time_us / 1000).toISOString().slice(0, 19)}Z`;
}

function showCount(n) {
  const badge = find("#rail-count");
  badge.hidden = n === 0;
  fill(badge, String(n), unseen(" new"));
  document.title = n ? `(${n}) ${title}` : title;
}

function showHealth(state, words, since_us = null) {
  find("#health").dataset.state = state;
  fill(find("#health-words"), words, since_us ? [" ", when(since_us)] : null);
}

// Pages of what happens keep the session; others let it end when nobody touches them.
const isWatched = () => "watched" in document.body.dataset || Date.now() - touched < IDLE_MS;

async function beat() {
  if (isWatched()) {
    try {
      const told = await get("/pulse");
      failures = 0;
      setNow(told.now_us);
      showHealth(told.state, told.words, told.since_us);
      showCount(told.n_new);
      document.dispatchEvent(new CustomEvent("pulse", { detail: told }));
    } catch (error) {
      failures += 1;
      if (failures > 1 && error.status !== 401) showHealth("bad", "the front desk does not answer");
    }
  }
  setTimeout(beat, PULSE_MS * Math.min(6, 1 + failures));
}

if (find("#health")) {
  setTimeout(beat, PULSE_MS);
  showCount(Number.parseInt(find("#rail-count").textContent, 10) || 0);
}
setInterval(tick, 1000);
for (const kind of ["keydown", "pointerdown", "wheel"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
}

find("#help-open").addEventListener("click", showHelp);
find("#help-on").addEventListener("change", (event) => turn(event.target.checked));
find("#panel-close").addEventListener("click", closePanel);
find("#sign-out")?.addEventListener("click", () =>
  remove("session").then(() => location.assign("/login"), tell));
document.addEventListener("click", (event) => {
  const menu = find("#account[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

const places = Object.fromEntries(findAll(".rail a").map((link) =>
  [`g ${link.dataset.key}`, [link.dataset.place, () => link.click()]]));
bind("Everywhere", {
  "?": ["these keys", showHelp],
  Escape: ["close what is open", () => {
    const menu = find("#account[open]");
    if (menu) { menu.open = false; find("summary", menu).focus(); return true; }
    if (!isPanelOpen()) return false;
    closePanel();
    return true;
  }],
  ...places,
});
