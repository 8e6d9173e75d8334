// The inbox: j/k move, one key deals with an alert, everything can be undone.

import { get, isOperator, post, query } from "./api.js";
import { sentence, severity, showAlert } from "./alert-view.js";
import { fill, find, findAll, icon, make } from "./dom.js";
import { ask } from "./ask.js";
import { listen } from "./events.js";
import { exportClips, exportList } from "./alert-export.js";
import { bind } from "./keys.js";
import { day, now_us, timeOfDay } from "./times.js";
import { tell, toast } from "./toast.js";

const DONE = { acknowledge: "acknowledged", resolve: "resolved", "false-alarm": "called a false alarm", note: "noted" };
const OFTEN = ["staff", "an animal", "light or shadow", "the wrong person", "already known"];
const inbox = find("#inbox");
const list = find("#list");
const filters = find("#filters");
const rows = new Map();
const newer = new Set();
let next = null;
let chosen = null;
let lastDone = null;
let isLinked = new URLSearchParams(location.search).has("alert");

function asked() {
  const form = Object.fromEntries(new FormData(filters));
  const { state } = inbox.dataset;
  const from = form.day ? dayStart(form.day) : null;
  return { state: state === "all" ? null : state, camera: form.camera, rule: form.rule, identity: form.identity, from, to: from && from + 86_400_000_000 };
}

// Midnight of the site's day, microseconds UTC: the guess in UTC, moved by what the site's clock says there.
function dayStart(date) {
  const guess_us = Date.parse(`${date}T00:00:00Z`) * 1000;
  const local_us = Date.parse(`${day(guess_us)}T${timeOfDay(guess_us)}Z`) * 1000;
  return guess_us - (local_us - guess_us);
}

function remember() {
  const form = Object.fromEntries(new FormData(filters));
  history.replaceState(null, "", query("/alerts", { state: inbox.dataset.state, ...form, alert: isList() ? null : chosen }));
}

// On a narrow screen either the list or the evidence is there.
const isNarrow = () => matchMedia("(max-width: 900px)").matches;
const isList = () => isNarrow() && !inbox.classList.contains("reading");

function row(alert) {
  const people = alert.persons.map((name) => (alert.names[name] ? `${name} ${alert.names[name]}` : name));
  const shown = people.length > 3 ? `${people.length} people` : people.join(", ");
  const isDone = alert.state !== "new";
  return make("button", {
    type: "button", class: isDone ? "item done" : "item", data: { alert: alert.alert }, "aria-current": chosen === alert.alert ? "true" : null,
    onclick: () => choose(alert.alert, { reads: true }),
  }, severity(alert.severity), make("span", { class: "sentence" }, sentence(alert.sentence)), make("span", { class: "numbers" }, timeOfDay(alert.raised_at_us)),
  make("span", { class: "about" }, alert.severity === "critical" ? [make("b", { class: "bad" }, "critical"), " · "] : null, [alert.cameras.join(", "), shown, alert.rule].filter(Boolean).join(" · ")),
  inbox.dataset.state !== alert.state ? make("span", { class: "state" }, alert.state) : null);
}

function render(items) {
  for (const alert of items) {
    rows.set(alert.alert, alert);
    const date = day(alert.raised_at_us);
    let group = findAll("ul", list).find((each) => each.dataset.day === date);
    if (!group) {
      group = make("ul", { data: { day: date } });
      list.append(make("h2", {}, date === day(now_us()) ? "today" : date), group);
    }
    group.append(make("li", {}, row(alert)));
  }
}

function empty() {
  const words = inbox.dataset.state === "new"
    ? [make("h2", {}, "Nothing new"), make("p", {}, "What a rule finds appears here, newest first. It stays until somebody deals with it, and is never lost.")]
    : [make("h2", {}, "None"), make("p", {}, "No alert of this kind fits the filter.")];
  fill(list, make("div", { class: "empty" }, words));
}

async function load({ more = false } = {}) {
  try {
    const told = await get(query("alerts", { ...asked(), limit: 50, cursor: more ? next : null }));
    if (!more) { fill(list); rows.clear(); newer.clear(); find("#show-newer").hidden = true; }
    next = told.next;
    render(told.items);
    find("#more").hidden = next === null;
    if (!rows.size) { empty(); fill(find("#evidence")); chosen = null; remember(); return; }
    const wanted = chosen ?? new URLSearchParams(location.search).get("alert");
    if (!more) choose(wanted ?? rows.keys().next().value, { reads: isLinked });
    isLinked = false;
  } catch (error) {
    tell(error);
  }
}

const buttons = () => findAll(".item", list);
const current = () => buttons().find((each) => each.dataset.alert === chosen);

async function choose(name, { reads = false, focuses = false } = {}) {
  chosen = name;
  for (const each of buttons()) each.toggleAttribute("aria-current", false);
  const button = current();
  button?.setAttribute("aria-current", "true");
  button?.scrollIntoView({ block: "nearest" });
  if (focuses) button?.focus({ preventScroll: true });
  if (reads) inbox.classList.add("reading");
  remember();
  try {
    const alert = await get(`alerts/${name}`);
    if (chosen === name) { replace(alert); showAlert(find("#evidence"), alert, deeds(alert)); }
  } catch (error) {
    if (chosen === name) tell(error);
  }
}

function replace(alert) {
  rows.set(alert.alert, alert);
  const old = findAll(".item", list).find((each) => each.dataset.alert === alert.alert);
  if (!old) return;
  const had = document.activeElement === old;
  const fresh = row(alert);
  old.replaceWith(fresh);
  if (had) fresh.focus();
}

function move(step) {
  const all = buttons();
  const at = all.findIndex((each) => each.dataset.alert === chosen);
  const to = all[Math.max(0, Math.min(all.length - 1, at + step))];
  if (to && to.dataset.alert !== chosen) choose(to.dataset.alert, { focuses: true });
  else if (step > 0 && next !== null) load({ more: true }).then(() => buttons().length > all.length && move(1));
}

async function act(deed, name = chosen, reason = "") {
  if (!isOperator || !name) { if (name) toast("Your role may look only; ask an operator"); return; }
  try {
    const alert = await post(`alerts/${name}/${deed}`, { reason });
    replace(alert);
    if (deed === "undo") { lastDone = null; toast(`${name} is ${alert.state} again`); if (chosen === name) choose(name); return; }
    if (deed !== "note") lastDone = name;
    toast(`${name} ${DONE[deed]}`, { undo: deed === "note" ? null : () => act("undo", name) });
    if (deed === "note" || chosen !== name) { choose(chosen); return; }
    const open = buttons().slice(buttons().findIndex((each) => each.dataset.alert === name) + 1).find((each) => rows.get(each.dataset.alert).state === "new");
    if (inbox.dataset.state === "new" && open && !isNarrow()) choose(open.dataset.alert, { focuses: true });
    else choose(name);
  } catch (error) {
    tell(error);
  }
}

async function withReason(deed, title, label, often, isNeeded = false) {
  if (!chosen || !isOperator) { act(deed); return; }
  const name = chosen;
  const reason = await ask({ title: `${title} ${name}`, label, often, isNeeded });
  if (reason !== null) act(deed, name, reason);
}

const falseAlarm = () => withReason("false-alarm", "False alarm:", "Why is it false?", OFTEN, true);
const note = () => withReason("note", "Note on", "What should others know?", [], true);
const undo = () => (chosen && rows.get(chosen)?.state !== "new" ? act("undo") : lastDone ? act("undo", lastDone) : toast("There is nothing to undo here"));
const openWho = () => { const alert = rows.get(chosen); const who = alert?.persons[0] ?? alert?.identity ?? alert?.candidate; if (who) location.assign(`/people/${who}`); else toast("Nobody knows who it is yet"); };
const play = () => find(".play-clip")?.click();
const save = () => { const alert = rows.get(chosen); if (alert) exportClips(alert); };

function deeds(alert) {
  const isOpen = alert.state === "new" || alert.state === "acknowledged";
  const button = (words, key, does, about = {}) => make("button", { type: "button", onclick: does, ...about }, words, " ", make("kbd", {}, key));
  return [
    make("button", { type: "button", id: "back", onclick: () => { inbox.classList.remove("reading"); current()?.focus(); } }, icon("back"), "Inbox"),
    ...(isOperator ? [
      alert.state === "new" ? button([icon("check"), "Acknowledge"], "a", () => act("acknowledge"), { class: "first" }) : null,
      isOpen ? button("Resolve", "r", () => act("resolve")) : null,
      isOpen ? button([icon("cross"), "False alarm"], "f", falseAlarm) : null,
      alert.state !== "new" ? button([icon("undo"), "Undo"], "u", undo) : null,
      button([icon("note"), "Note"], "m", note),
      alert.cameras.length ? button([icon("out"), "Export clip"], "e", save) : null,
    ] : []),
    alert.persons.length || alert.identity ? button([icon("person"), "Open person"], "o", openWho) : null,
  ];
}

async function happened(event) {
  const alert = rows.get(event.alert);
  if (alert) { get(`alerts/${event.alert}`).then(event.alert === chosen ? () => {} : replace, () => {}); return; }
  if (event.event !== "raised" || (inbox.dataset.state !== "new" && inbox.dataset.state !== "all")) return;
  newer.add(event.alert);
  const button = find("#show-newer");
  fill(button, `${newer.size} newer `, newer.size === 1 ? "alert" : "alerts", " ", make("kbd", {}, "n"));
  button.hidden = false;
}

const showNewer = () => { if (newer.size) { chosen = null; history.replaceState(null, "", query("/alerts", { state: inbox.dataset.state })); load(); } };

for (const [name, value] of new URLSearchParams(location.search)) if (filters.elements[name]) filters.elements[name].value = value;
filters.addEventListener("change", () => { if (!filters.checkValidity()) return; chosen = null; remember(); load(); });
filters.addEventListener("submit", (event) => event.preventDefault());
find("#more").addEventListener("click", () => load({ more: true }));
find("#show-newer").addEventListener("click", showNewer);
find("#list-export").addEventListener("click", () => exportList(asked()));
for (const tab of findAll(".tabs a")) tab.addEventListener("click", () => { tab.href = query("/alerts", { ...Object.fromEntries(new FormData(filters)), state: tab.dataset.state }); });

bind("Alerts", {
  j: ["next alert", () => move(1)], k: ["alert before", () => move(-1)],
  a: ["acknowledge", () => act("acknowledge")], r: ["resolve", () => act("resolve")], f: ["false alarm, with a reason", falseAlarm],
  u: ["undo", undo], m: ["note", note], e: ["export the clip", save], o: ["open the person", openWho], p: ["play from 5 s before", play],
  n: ["show newer alerts", showNewer], ArrowDown: [null, (event) => (event.target.matches?.(".item") ? move(1) : false)],
  ArrowUp: [null, (event) => (event.target.matches?.(".item") ? move(-1) : false)],
  Escape: [null, () => (inbox.classList.contains("reading") ? (inbox.classList.remove("reading"), current()?.focus(), true) : false)],
});
listen({ alert: happened, reload: () => { if (!newer.size) load(); } });
load();
