// The page of a person: visits open in the side panel, and what is decided acts at once.

import { isOperator, put } from "./api.js";
import { decide, question, sayAgain, undo } from "./decide.js";
import { find, findAll } from "./dom.js";
import { askToKeep } from "./keep.js";
import { bind } from "./keys.js";
import { isPanelOpen, openPanel } from "./panel.js";
import { tell, toast } from "./toast.js";

const who = document.body.dataset.person;
const rows = findAll("#visits > li.visit");
const AROUND_US = 10e6;
const KEPT = "noctule kept";
let current = find("#opened")?.dataset.visit ?? null;
const takeBack = sayAgain();

function mark(visit) {
  for (const link of findAll("svg.lanes a.visit")) {
    if (link.dataset.open === visit) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const row of rows) row.classList.toggle("current", row.dataset.visit === visit);
}

function open(visit, { takesFocus = true } = {}) {
  const template = find(`#why-${CSS.escape(visit)}`);
  if (!template) return;
  current = visit;
  mark(visit);
  const address = new URL(location.href);
  address.searchParams.set("visit", visit);
  history.replaceState(null, "", address);
  openPanel("Why?", [template.content.cloneNode(true)], { takesFocus });
}

function step(by) {
  const at = rows.findIndex((row) => row.dataset.visit === current);
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  if (!row) return;
  open(row.dataset.visit, { takesFocus: false });
  row.scrollIntoView({ block: "nearest" });
}

const here = () => find(`#why-${CSS.escape(current ?? "")}`)?.content.firstElementChild.dataset;

// Where to be after this person may be gone.
const survivor = (verdict) => {
  const after = verdict.moved.map((move) => move.after).filter(Boolean);
  return after.includes(who) || !after.length ? location.pathname : `/people/${after[0]}`;
};

// From ten seconds before a visit to ten seconds after it.
const around = ({ camera, fromUs, toUs }) => ({ camera, from_us: Number(fromUs) - AROUND_US, to_us: Number(toUs) + AROUND_US });

function keep(visits) {
  if (!isOperator || !visits.length) return;
  const cameras = [...new Set(visits.map((visit) => visit.camera))];
  askToKeep(visits.map(around), {
    films: new Set(document.body.dataset.films.split(" ")),
    what: visits.length === 1 ? `${who} at ${cameras[0]}, with ten seconds before and after.` : `All ${visits.length} visits of ${who} on this page, with ten seconds before and after: ${cameras.join(", ")}.`,
    onDone: (words) => { sessionStorage.setItem(KEPT, words); location.reload(); },
  });
}

function say(kind) {
  if (kind === "keep") { keep([here()].filter(Boolean)); return; }
  if (!isOperator || current === null) return;
  const after = () => `/people/${who}`;
  if (kind === "same") decide("same", { sighting: current, identity: who }, { after });
  else decide("not-same", { sighting: current, identity: who }, { after: rows.length > 1 ? after : survivor });
}

const chosen = () => findAll(".choose:checked").map((box) => box.value);

function showChosen() {
  const n = chosen().length;
  find("#n-chosen").textContent = String(n);
  find("#split").disabled = n === 0 || n === findAll(".choose").length;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open(opener.dataset.open);
    return;
  }
  const does = event.target.closest("[data-does]");
  if (does) say(does.dataset.does);
  const back = event.target.closest("[data-undo]");
  if (back) undo(back.dataset.undo);
});
document.addEventListener("change", (event) => { if (event.target.matches(".choose")) showChosen(); });

find("#merge")?.addEventListener("click", async () => {
  const known = [...new Set(findAll(".visits .person").map((link) => link.getAttribute("href").split("/").pop()))];
  const told = await question({ title: `Who is the same person as ${who}?`, words: "All visits of both become one person's. It can be undone.", yes: "They are one", known });
  if (told) decide("merge", { one: who, other: told.other, reason: told.reason }, { after: survivor });
});

find("#split")?.addEventListener("click", async () => {
  const visits = chosen();
  const told = await question({ title: `Split ${visits.length === 1 ? "this visit" : `these ${visits.length} visits`} off ${who}?`, words: "They become a new person. It can be undone.", yes: "Split off" });
  if (told) decide("split", { identity: who, sightings: visits, reason: told.reason }, { after: () => `/people/${who}` });
});

find("#forget")?.addEventListener("click", async () => {
  const told = await question({ title: `Forget ${who}?`, words: "The visits stay, but are nobody's and are compared with nobody. It can be undone from the list of decisions.", yes: "Forget" });
  if (told) decide("forget", { identity: who, reason: told.reason }, { after: () => "/people" });
});

find("#keep-all")?.addEventListener("click", () =>
  keep(findAll("template").map((one) => one.content.firstElementChild?.dataset).filter((visit) => visit?.who === who)));

find("#rename")?.addEventListener("click", () => {
  const field = document.createElement("input");
  const heading = find("h1");
  const before = find("h1 q")?.textContent ?? "";
  field.maxLength = 64;
  field.value = before;
  field.setAttribute("aria-label", `What to call ${who}`);
  heading.after(field);
  field.focus();
  const save = async () => {
    field.remove();
    if (field.value.trim() === before) return;
    try {
      await put(`identities/${who}/name`, { name: field.value.trim() });
      location.reload();
    } catch (error) { tell(error); }
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") save();
    if (event.key === "Escape") field.remove();
  });
});

bind("Person", {
  j: ["next visit", () => step(1)],
  k: ["visit before", () => step(-1)],
  w: ["why?", () => current && open(current)],
  p: ["play from there", () => find("#panel-body a.button")?.click()],
  ...(isOperator ? {
    s: ["it is the same person", () => say("same")],
    n: ["it is not", () => say("not-same")],
    x: ["choose the visit to split it off", () => {
      const box = find(`.choose[value="${current}"]`);
      if (box) { box.checked = !box.checked; showChosen(); }
    }],
    l: ["keep (lock) the recording of the visit", () => say("keep")],
    u: ["undo what was decided last", () => {
      if (takeBack) takeBack();
      else if (find("[data-undo]")) undo(find("[data-undo]").dataset.undo);
      else toast("nothing was decided here");
    }],
  } : {}),
});

if (sessionStorage.getItem(KEPT)) { toast(sessionStorage.getItem(KEPT)); sessionStorage.removeItem(KEPT); }
if (find("#visits") && isOperator) showChosen();
if (current && (innerWidth >= 1180 || here() && new URL(location.href).searchParams.has("visit"))) open(current, { takesFocus: false });
else if (current && !isPanelOpen()) mark(current);
