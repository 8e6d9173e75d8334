// Replay: one time for all cameras.

import { get, isOperator, query } from "./api.js";
import { fill, find, icon } from "./dom.js";
import { askToKeep } from "./keep.js";
import { bind } from "./keys.js";
import { Player } from "./player.js";
import { Ruler } from "./ruler.js";
import { clock, now_us } from "./times.js";
import { tell, toast } from "./toast.js";
import { fromField, toField } from "./zoned.js";

const { dataset } = document.body;
const cameras = dataset.cameras.split(" ").filter(Boolean);
const films = new Set(dataset.films.split(" "));
const players = cameras.map((camera) => new Player(camera, { onReady: () => { if (!state.isPlaying) showNow(); } }));
const CHUNK_US = 60e6;
const AFTER_US = 2e6;
const NEAR_US = 10e6;
const AROUND_US = 30e6;
const state = { at_us: Number(dataset.atUs), isPlaying: false, rate: 1, follow: dataset.follow || null, chosen: dataset.camera || null };
let trail = [];
const chunks = new Map();
let told = null;
let before_ms = null;

const ruler = new Ruler(find("#ruler"), cameras, { onSeek: seek });
fill(find("#tiles"), players.map((player) => player.element));

function seek(at_us) {
  state.at_us = Math.min(at_us, now_us());
  if (!told || state.at_us < told.from_us || state.at_us > told.to_us) loadRuler();
  showNow();
}

async function loadRuler() {
  const length_us = Number(find("#window").value) * 1e6;
  const from_us = Math.round(state.at_us - length_us / 4);
  const span = { from: from_us, to: Math.round(from_us + length_us) };
  told = { from_us, to_us: span.to, recorded: new Map(), locks: new Map(), visits: [], gaps: [], alerts: [], follow: state.follow };
  const mine = told;
  ruler.draw(mine);
  try {
    const [visits, gaps, alerts, ...recorded] = await Promise.all([
      get(query("sightings", { ...span, limit: 500 })), get(query("gaps", { ...span, limit: 500 })), get(query("alerts", { ...span, limit: 200 })),
      ...cameras.map((camera) => get(query(`cameras/${camera}/recordings`, span))),
    ]);
    if (mine !== told) return;
    Object.assign(told, { visits: visits.items, gaps: gaps.items, alerts: alerts.items });
    cameras.forEach((camera, number) => {
      told.recorded.set(camera, recorded[number].items);
      told.locks.set(camera, recorded[number].locks);
      Object.assign(players[number], { spans: recorded[number].items, locks: recorded[number].locks });
    });
    for (const camera of cameras) if (films.has(camera)) told.gaps.push(...beyond(camera, told));
    ruler.draw(told);
    showTiles();
    showNow();
  } catch (error) { tell(error); }
}

// A camera that is a film saw nothing before, after and between its recordings.
function beyond(camera, { from_us, to_us, recorded }) {
  const found = [];
  let seen_us = from_us;
  for (const span of [...recorded.get(camera), { from_us: to_us, to_us }]) {
    if (span.from_us > seen_us) found.push({ camera, from_us: seen_us, to_us: span.from_us, reason: "its film does not cover this" });
    seen_us = span.to_us;
  }
  return found;
}

// Cameras that recorded nothing in this stretch take no room.
function showTiles() {
  for (const player of players) {
    const spans = told.recorded.get(player.camera) ?? [];
    player.element.hidden = spans.length === 0 && player.camera !== state.chosen;
  }
  find("#tiles").dataset.n = String(players.filter((player) => !player.element.hidden).length);
}

async function boxes(at_us) {
  const key = Math.floor(at_us / CHUNK_US);
  if (!chunks.has(key)) {
    chunks.set(key, []);
    if (chunks.size > 30) chunks.delete(chunks.keys().next().value);
    try {
      const { items } = await get(query("/replay/boxes", { from: key * CHUNK_US, to: (key + 1) * CHUNK_US }));
      chunks.set(key, items);
    } catch (error) { tell(error); }
    if (!state.isPlaying) drawBoxes();
  }
}

function drawBoxes() {
  const tracks = chunks.get(Math.floor(state.at_us / CHUNK_US)) ?? [];
  for (const player of players) {
    if (player.element.hidden) continue;
    player.draw(state.at_us, tracks.filter((track) => track.camera === player.camera), state.follow);
  }
}

function showNow() {
  ruler.moveTo(state.at_us);
  find("#moment").textContent = clock(state.at_us);
  for (const player of players) {
    player.element.classList.toggle("chosen", player.camera === state.chosen);
    player.tellKept(state.at_us);
    if (!player.element.hidden) player.show(state.at_us, state).then(() => { if (!state.isPlaying) drawBoxes(); });
  }
  boxes(state.at_us);
  drawBoxes();
  find("#search-here").href = query("/search", { camera: state.chosen ?? players.find((player) => !player.element.hidden)?.camera, at: Math.round(state.at_us) });
}

function play(isPlaying = !state.isPlaying) {
  state.isPlaying = isPlaying;
  before_ms = null;
  find("#play").setAttribute("aria-pressed", String(isPlaying));
  fill(find("#play"), icon(isPlaying ? "pause" : "play"), isPlaying ? "Pause" : "Play");
  if (isPlaying) requestAnimationFrame(frame);
  else keepAddress();
  showNow();
}

function frame(now_ms) {
  if (!state.isPlaying) return;
  const passed_ms = before_ms === null ? 0 : Math.min(500, now_ms - before_ms);
  before_ms = now_ms;
  state.at_us += passed_ms * 1000 * state.rate;
  followOn();
  if (state.at_us >= now_us()) { play(false); return; }
  if (state.at_us > told.to_us) loadRuler();
  showNow();
  requestAnimationFrame(frame);
}

// The visit of whom one follows, else a minute around the moment.
function keepRecording() {
  play(false);
  const camera = state.chosen ?? players.find((player) => !player.element.hidden)?.camera ?? cameras[0];
  const visit = trail.findLast((one) => one.camera === camera && one.first_seen_us - NEAR_US <= state.at_us && one.last_seen_us + NEAR_US >= state.at_us);
  const from_us = visit ? visit.first_seen_us - NEAR_US : state.at_us - AROUND_US;
  const to_us = visit ? visit.last_seen_us + NEAR_US : state.at_us + AROUND_US;
  askToKeep([{ camera, from_us, to_us }], { films, cameras, onDone: (words, undo) => { toast(words, { undo }); loadRuler(); } });
}

function keepAddress() {
  find("#go-to").value = toField(state.at_us);
  history.replaceState(null, "", query("/replay", { at: Math.round(state.at_us), camera: state.chosen, follow: state.follow }));
}

// Following: when a visit is over, the next one of the trail is shown.
function followOn() {
  const current = trail.findLast((visit) => visit.first_seen_us <= state.at_us);
  if (!current) return;
  const next = trail.find((visit) => visit.first_seen_us > state.at_us);
  const isOver = state.at_us > current.last_seen_us + AFTER_US;
  if (isOver && next && next.first_seen_us - state.at_us > AFTER_US) jump(next);
  else if (isOver && !next) { play(false); toast(`this was the last visit of ${state.follow}`); }
  else if (!isOver) state.chosen = current.camera;
}

function jump(visit) {
  state.chosen = visit.camera;
  seek(visit.first_seen_us - 500_000);
  keepAddress();
}

async function follow(who) {
  state.follow = who || null;
  trail = [];
  if (who) {
    try {
      const { person, items } = await get(`identities/${who}/trajectory?limit=500`);
      state.follow = person.identity;
      trail = items.reverse();
      find("#follow").value = person.identity;
      find("#follow-words").textContent = `following ${person.name ? `“${person.name}”, ` : ""}${person.identity}: ${trail.length} visits`;
    } catch (error) { tell(error); state.follow = null; }
  }
  if (!state.follow) find("#follow-words").textContent = "";
  find("#visit-before").disabled = find("#visit-next").disabled = trail.length === 0;
  if (told) { told.follow = state.follow; ruler.draw(told); }
  drawBoxes();
}

const stepVisit = (by) => {
  const next = by > 0 ? trail.find((visit) => visit.first_seen_us > state.at_us + 1e6) : trail.findLast((visit) => visit.first_seen_us < state.at_us - 1e6);
  if (next) jump(next); else if (trail.length) toast("there is no further visit");
};
const step = (s) => { seek(state.at_us + s * 1e6); keepAddress(); };

find("#play").addEventListener("click", () => play());
find("#back").addEventListener("click", () => step(-5));
find("#on").addEventListener("click", () => step(5));
find("#speed").addEventListener("change", (event) => { state.rate = Number(event.target.value); });
find("#window").addEventListener("change", loadRuler);
find("#go-to").addEventListener("change", (event) => { const at_us = fromField(event.target.value); if (at_us) { seek(at_us); loadRuler(); keepAddress(); } });
find("#keep-open")?.addEventListener("click", keepRecording);
find("#visit-before").addEventListener("click", () => stepVisit(-1));
find("#visit-next").addEventListener("click", () => stepVisit(1));
find("#follow-form").addEventListener("submit", (event) => { event.preventDefault(); follow(find("#follow").value.trim()).then(keepAddress); });
find("#tiles").addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (tile && !event.target.closest("a")) { state.chosen = tile.dataset.camera; showNow(); }
});
const faster = (by) => {
  const speeds = find("#speed");
  speeds.selectedIndex = Math.min(speeds.length - 1, Math.max(0, speeds.selectedIndex + by));
  state.rate = Number(speeds.value);
};
const arrow = (s) => (event) => (event.target.matches("select, input") ? false : step(event.shiftKey ? Math.sign(s) : s));
bind("Replay", {
  " ": ["play or pause", (event) => (event.target.matches("button, a, input, select") ? false : play())],
  ArrowLeft: ["back 5 s (shift: 1 s)", arrow(-5)],
  ArrowRight: ["on 5 s (shift: 1 s)", arrow(5)],
  "-": ["slower", () => faster(-1)],
  "+": ["faster", () => faster(1)],
  n: ["next visit of whom you follow", () => stepVisit(1)],
  b: ["visit before", () => stepVisit(-1)],
  ...(isOperator ? { l: ["keep (lock) this recording", keepRecording] } : {}),
  o: ["open whom you follow", () => { if (state.follow) location.assign(`/people/${state.follow}`); }],
});

find("#go-to").value = toField(state.at_us);
await loadRuler();
if (state.follow) await follow(state.follow);
seek(state.at_us);
