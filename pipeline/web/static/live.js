// The wall: newest pictures with boxes over them, and who was seen last.

import { BASE, get, query } from "./api.js";
import { drawBoxes, fresh, under, whoOf, wordsOf } from "./boxes.js";
import { fill, find, findAll, icon, light, make } from "./dom.js";
import { listen } from "./events.js";
import { bind } from "./keys.js";
import { crop, openPerson, openVisit } from "./person-panel.js";
import { boxesAt, newestOf } from "./recorded.js";
import { clock, now_us, shortWhen, when } from "./times.js";
import { tell } from "./toast.js";

const OLD_US = 15e6;
const SHOWN = 30;
const names = new Map();
const wall = find("#wall");
const tiles = new Map(findAll(".tile").map((element) => [element.dataset.camera, {
  element, camera: element.dataset.camera, isLive: element.dataset.kind === "live",
  pixels: find(".pixels", element), over: find(".boxes", element), picture: null, boxes: [], places: [],
  captured_at_us: null, blind_since_us: Number(element.dataset.blindSince) || null, isLoading: false, next: null, hasEnded: false,
}]));

function draw(tile) {
  if (tile.element.offsetParent === null) return;
  tile.places = drawBoxes(tile.over, tile.picture, tile.boxes, names);
}

function show(tile, bitmap) {
  tile.picture?.close?.();
  tile.picture = bitmap;
  tile.pixels.width = bitmap.width;
  tile.pixels.height = bitmap.height;
  tile.pixels.getContext("2d").drawImage(bitmap, 0, 0);
}

// The newest picture with its boxes; while one is on its way, only the newest after it counts.
async function load(tile, told) {
  if (tile.isLoading) { tile.next = told; return; }
  tile.isLoading = true;
  try {
    const answer = await fetch(told.address ?? `${BASE}/cameras/${tile.camera}/picture`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    show(tile, await createImageBitmap(await answer.blob()));
    tile.captured_at_us = Number(answer.headers.get("X-Noctule-Captured-At-Us")) || told.captured_at_us;
    tile.boxes = told.tracks ? boxesAt(told.tracks, tile.captured_at_us, tile.picture) : fresh(told.boxes, tile.captured_at_us);
    learnNames(tile.boxes.map(whoOf));
  } catch {
    tile.boxes = [];
  }
  tile.isLoading = false;
  draw(tile);
  caption(tile);
  const { next } = tile;
  tile.next = null;
  if (next) load(tile, next);
}

async function learnNames(people) {
  for (const who of people) {
    if (!who || names.has(who)) continue;
    names.set(who, null);
    get(`identities/${who}`).then((found) => {
      names.set(who, found.name);
      tiles.forEach(draw);
    }, () => names.delete(who));
  }
}

function caption(tile) {
  const { element } = tile;
  const people = tile.boxes.map((box) => {
    const who = whoOf(box);
    const words = wordsOf(box, names.get(who));
    return who ? make("button", { type: "button", onclick: () => openPerson(who) }, words) : make("span", { class: "soft" }, words);
  });
  const kept = find(".people", element);
  if (kept.textContent !== people.map((each) => each.textContent).join("") || !people.length) fill(kept, people);
  const taken = find(".taken", element);
  const isOld = tile.isLive && tile.captured_at_us !== null && now_us() - tile.captured_at_us > OLD_US;
  taken.classList.toggle("old", isOld);
  fill(taken, tile.captured_at_us === null ? null : tile.isLive ? clock(tile.captured_at_us) : ["recorded ", when(tile.captured_at_us)]);
  veil(tile);
}

function veil(tile) {
  const { state } = tile.element.dataset;
  const element = find(".veil", tile.element);
  let words = null;
  if (state === "blind") words = tile.blind_since_us ? ["blind since ", clock(tile.blind_since_us)] : "blind";
  else if (state === "unknown" && tile.isLive) words = tile.captured_at_us ? ["nothing heard since ", clock(tile.captured_at_us)] : "no picture yet; is the watcher running?";
  else if (!tile.picture && !tile.isLoading) words = tile.isLive ? "no picture yet" : "recording; nobody seen in it yet";
  element.hidden = words === null;
  fill(element, words === null ? null : make("span", {}, state === "blind" ? icon("blind") : null, " ", words));
}

function told(event) {
  const tile = tiles.get(event.camera);
  if (!tile) return;
  const isEnded = event.health === "ended";
  if (isEnded && !tile.isLive) {
    if (!tile.hasEnded) showRecorded(tile); // what was a first look is decided now
    tile.hasEnded = true;
    return;
  }
  tile.hasEnded = false;
  tile.blind_since_us = event.blind_since_us;
  const sees = (event.health === "live" || event.health === "recorded") && !event.blind_since_us;
  tile.element.dataset.state = isEnded ? "unknown" : sees ? "live" : "blind";
  fill(find(".sees", tile.element), light(event.modality));
  if (event.captured_at_us !== null && event.captured_at_us !== tile.captured_at_us && tile.element.offsetParent !== null) load(tile, event);
  else caption(tile);
}

// A recording that nobody watches now shows its newest visit.
async function showRecorded(tile) {
  try {
    const newest = await newestOf(tile.camera);
    if (!newest) { caption(tile); return; }
    fill(find(".sees", tile.element), light(newest.modality));
    await load(tile, newest);
  } catch (error) {
    tell(error);
  }
}

function begin() {
  for (const tile of tiles.values()) {
    if (!tile.isLive && tile.element.dataset.state === "unknown") showRecorded(tile);
    else load(tile, { captured_at_us: tile.captured_at_us, boxes: tile.boxes });
  }
}

// As many columns as make the pictures largest.
function fit() {
  if (!wall) return;
  const n = wall.dataset.one ? 1 : tiles.size;
  const w = wall.clientWidth, h = wall.clientHeight;
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= n; columns += 1) {
    const rows = Math.ceil(n / columns);
    const size = Math.min(w / columns, ((h / rows - 34) * 16) / 9);
    if (size > best.size) best = { columns, size };
  }
  wall.style.setProperty("--columns", best.columns);
  tiles.forEach(draw);
}

function alone(camera) {
  wall.dataset.one = wall.dataset.one === camera ? "" : camera ?? "";
  for (const tile of tiles.values()) {
    const isOne = tile.camera === wall.dataset.one;
    tile.element.classList.toggle("alone", isOne);
    find(".name", tile.element).setAttribute("aria-pressed", isOne);
  }
  history.replaceState(null, "", query("/live", { camera: wall.dataset.one }));
  fit();
}

function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => document.body.classList.toggle("bare"));
}

document.addEventListener("fullscreenchange", () => document.body.classList.toggle("bare", document.fullscreenElement !== null));

for (const tile of tiles.values()) {
  find(".name", tile.element).addEventListener("click", () => alone(tile.camera));
  tile.over.addEventListener("pointermove", (event) => tile.over.classList.toggle("over", Boolean(under(tile.places, event))));
  tile.over.addEventListener("click", (event) => {
    const box = under(tile.places, event);
    if (box && whoOf(box)) openPerson(whoOf(box));
  });
  tile.over.addEventListener("dblclick", () => alone(tile.camera));
}

const visits = find("#visits");
const waiting = [];
const isHeld = () => visits.matches(":hover") || visits.contains(document.activeElement);

function card({ sighting, identity, name = names.get(identity), camera, modality, last_seen_us, picture }) {
  const who = identity ? (name ? `${identity} ${name}` : identity) : "unsure who";
  return make("li", { data: { sighting } }, make("button", {
    type: "button", class: "visit", onclick: () => (identity ? openPerson(identity) : openVisit(sighting)),
  }, picture ? crop(sighting, picture) : make("span", { class: "none" }), make("span", { class: "who" }, who),
  make("span", {}, camera), make("span", {}, light(modality)), make("span", { class: "soft numbers" }, shortWhen(last_seen_us))));
}

function add(visit) {
  if (isHeld()) { waiting.push(visit); return; }
  find(`[data-sighting="${visit.sighting}"]`, visits)?.remove();
  visits.prepend(card(visit));
  while (visits.children.length > SHOWN) visits.lastChild.remove();
  find("#no-visits").hidden = true;
}

const release = () => { if (!isHeld()) waiting.splice(0).forEach(add); };
visits.addEventListener("pointerleave", release);
visits.addEventListener("focusout", () => setTimeout(release));

// Many visits may be said anew at once: one question for all of them.
let soon = null;
function loadSoon() {
  soon ??= setTimeout(() => { soon = null; if (!isHeld()) loadVisits(); }, 1000);
}

async function loadVisits() {
  try {
    const { items } = await get(query("sightings", { limit: SHOWN }));
    for (const { identity, name } of items) if (identity) names.set(identity, name);
    fill(visits, items.map((visit) => card({ ...visit, picture: visit.pictures[0] })));
    find("#no-visits").hidden = items.length > 0;
  } catch (error) {
    tell(error);
  }
}

if (wall) {
  const one = wall.dataset.one;
  wall.dataset.one = "";
  if (one) alone(one);
  new ResizeObserver(fit).observe(wall);
}
find("#full").addEventListener("click", full);
bind("Live", {
  f: ["full screen, and back", full],
  ...Object.fromEntries([...tiles.keys()].slice(0, 9).map((camera, n) => [String(n + 1), [`${camera} alone, and back`, () => alone(camera)]])),
  Escape: [null, () => {
    if (find("#panel").hidden === false || find("#account[open]")) return false;
    if (wall?.dataset.one) { alone(wall.dataset.one); return true; }
    return false;
  }],
});
document.addEventListener("pulse", ({ detail }) => {
  for (const { camera, state, blind_since_us } of detail.cameras) {
    const tile = tiles.get(camera);
    if (!tile) continue;
    tile.element.dataset.state = state;
    tile.blind_since_us = blind_since_us;
    caption(tile);
  }
});
listen({ boxes: told, sighting: add, changed: loadSoon, reload: () => { loadVisits(); begin(); } });
begin();
loadVisits();
