// Evidence locks: a recording stays until a day, whatever retention says.

import { get, post, query, role } from "./api.js";
import { fill, find, icon, make } from "./dom.js";
import { day, now_us, when } from "./times.js";
import { tell } from "./toast.js";
import { fromField, toField } from "./zoned.js";

const DAY_US = 86_400_000_000;
const USUAL_DAYS = 90;
const NO_SPAN = "Its end is not after its beginning: change “From” or “To”.";
const isAdmin = role === "admin";
const dialog = find("#keep");
let asked = null;
let questions = 0;

const path = (camera, last = "") => `cameras/${camera}/recordings${last}`;
const bounds = ({ from_us, to_us }) => ({ from: String(Math.floor(from_us)), to: String(Math.ceil(to_us)) });

// What is shown in the dialog now: many spans are as they were asked, one may be changed.
function spans() {
  if (asked.spans.length > 1) return asked.spans;
  const from_us = fromField(find("#keep-from").value), to_us = fromField(find("#keep-to").value);
  return from_us !== null && to_us > from_us ? [{ camera: find("#keep-camera").value, from_us, to_us }] : [];
}

const locksOf = (told) => told.flatMap((each) => each.locks);

// "kept until ..." of locks, null where there is none.
function keptWords(locks) {
  if (!locks.length) return null;
  return make("span", { class: "kept" }, icon("lock"), "kept until ", when(Math.min(...locks.map((lock) => lock.until_us))));
}

// Only the newest question's answer counts; until it came, nothing is known of locks.
async function showState() {
  const wanted = spans();
  const mine = ++questions;
  asked.locks = null;
  find("#keep-told").hidden = true;
  if (!wanted.length) { fill(find("#keep-state"), NO_SPAN); return; }
  try {
    const told = await Promise.all(wanted.map((span) => get(query(path(span.camera), bounds(span)))));
    if (mine !== questions) return;
    const locks = locksOf(told);
    asked.locks = locks;
    const films = wanted.filter((span) => asked.films.has(span.camera)).length;
    const words = [keptWords(locks)];
    if (films) words.push(films === wanted.length ? "A file that is watched as a camera stays where it is: Noctule never deletes it." : "Files that are watched as cameras are never deleted.");
    else if (!told.some((each) => each.items.length)) words.push("Nothing is recorded then.");
    else if (!locks.length) words.push("Not kept yet: it goes when retention says so.");
    else words.push(" A later day keeps it longer; an earlier one changes nothing.");
    fill(find("#keep-state"), words);
    find('#keep button[value="keep"]').disabled = films === wanted.length;
    find("#keep-release").hidden = !isAdmin || !locks.length;
  } catch (error) { if (mine === questions) fill(find("#keep-state"), error.words ?? error.message); }
}

// Locks or unlocks one span after the other, and says how many files and what failed. Files that are
// watched as cameras stay out of it.
async function decide(wanted, does, values) {
  const ours = wanted.filter((span) => !asked.films.has(span.camera));
  let n = 0;
  const failed = [];
  for (const span of ours) {
    try {
      n += (await post(path(span.camera, `/${does}`), { ...bounds(span), ...values })).n_segments;
    } catch (error) { failed.push(error); }
  }
  if (!n) throw failed[0] ?? new Error("No recording of ours is there then.");
  return { n: n === 1 ? "1 file" : `${n} files`, but: failed.length ? `; ${failed.length} of ${ours.length}: ${failed[0].words ?? failed[0].message}` : "" };
}

async function release(wanted, reason) {
  const { onDone } = asked;
  const { n, but } = await decide(wanted, "unlock", { reason });
  onDone(`Released ${n}: retention says when they go${but}`, null);
}

async function keep(wanted, until_us, reason) {
  const { locks, onDone } = asked;
  const { n, but } = await decide(wanted, "lock", { until: String(until_us), reason });
  const undo = isAdmin && locks?.length === 0 ? () => decide(wanted, "unlock", { reason: "undone" }).then(({ but: left }) => onDone(`Not kept any more${left}`, null), tell) : null;
  onDone(`${n} kept until ${day(until_us)}${but}`, undo);
}

async function answer(event) {
  const does = event.submitter?.value;
  if (does === "no") return;
  event.preventDefault();
  const wanted = spans();
  const reason = find("#keep-reason").value.trim();
  const until_us = fromField(`${find("#keep-until").value}T23:59:59`);
  try {
    if (!wanted.length) throw new Error(NO_SPAN);
    if (does === "release") await release(wanted, reason);
    else await keep(wanted, until_us, reason);
    dialog.close();
  } catch (error) {
    fill(find("#keep-told"), error.words ?? error.message);
    find("#keep-told").hidden = false;
  }
}

// spans: [{camera, from_us, to_us}]; films: cameras whose recordings are files of somebody's own;
// cameras: to choose from where there is one span; onDone: gets words of what was done, and how to undo it.
export function askToKeep(given, { films, cameras = null, what = null, onDone }) {
  asked = { spans: given, films, onDone, locks: null };
  const [first] = given;
  const isOne = given.length === 1;
  find("#keep-title").textContent = isOne ? "Keep this recording" : `Keep ${given.length} recordings`;
  fill(find("#keep-what"), what);
  find("#keep-what").hidden = what === null;
  find("#keep-span").hidden = !isOne;
  fill(find("#keep-camera"), (cameras ?? [first.camera]).map((name) => make("option", { selected: name === first.camera }, name)));
  for (const [id, time_us] of [["#keep-from", first.from_us], ["#keep-to", first.to_us]]) {
    find(id).value = toField(time_us);
    find(id).required = isOne;
  }
  find("#keep-until").min = day(now_us());
  find("#keep-until").value = day(now_us() + USUAL_DAYS * DAY_US);
  find("#keep-reason").value = "";
  dialog.showModal();
  find("#keep-reason").focus();
  showState();
}

// Who may not decide has no such dialog.
find("#keep-form")?.addEventListener("submit", answer);
for (const id of ["#keep-camera", "#keep-from", "#keep-to"]) find(id)?.addEventListener("change", showState);
