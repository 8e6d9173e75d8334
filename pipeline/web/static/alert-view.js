// What there is to know of one alert: what was seen, the clip, who it is, where they are now.

import { BASE, get, isOperator, query } from "./api.js";
import { drawBoxes } from "./boxes.js";
import { chance } from "./chance.js";
import { fill, icon, make, person } from "./dom.js";
import { whereNow } from "./person-panel.js";
import { duration, when } from "./times.js";

const BEFORE_US = 5_000_000;
const ICONS = { critical: "warn", warning: "warn", info: "info" };
const PAST = {
  raised: "raised", extended: "more was seen", escalated: "nobody acknowledged it; told once more", acknowledged: "acknowledged",
  resolved: "resolved", "false alarm": "called a false alarm", undone: "undid the last step", note: "noted",
};
const GROUNDS = { box: null };

export const severity = (word) => make("span", { class: "severity", data: { severity: word } }, icon(ICONS[word]), make("span", { class: "unseen" }, word));
export const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function shownBox(alert) {
  const numbers = String(alert.grounds.box ?? "").split(" ").map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? { xyxy: numbers, person: alert.persons.length === 1 ? alert.persons[0] : null, candidate: null } : null;
}

// The alert's picture; one of the whole view gets its box, a crop is shown as it is.
function picture(alert, place) {
  const image = make("img", { src: `${BASE}/alerts/${alert.alert}/picture`, alt: `What ${alert.picture_camera} saw` });
  const shot = make("div", { class: "shot crop" }, image);
  image.addEventListener("load", () => {
    const isCrop = image.naturalHeight > image.naturalWidth;
    shot.classList.toggle("crop", isCrop);
    place.classList.toggle("wide", !isCrop);
    const box = isCrop ? null : shownBox(alert);
    if (!box) return;
    const canvas = make("canvas", { "aria-hidden": "true" });
    shot.append(canvas);
    const sides = { width: image.naturalWidth, height: image.naturalHeight };
    new ResizeObserver(() => drawBoxes(canvas, sides, [box], new Map(Object.entries(alert.names)))).observe(shot);
  });
  return make("figure", {}, shot, make("figcaption", {}, alert.picture_camera, ", as it was seen"));
}

// The camera's picture at the moment, which becomes the clip from five seconds before.
function moment(alert, camera) {
  const image = make("img", { src: `${BASE}/cameras/${camera}/recordings/picture?at=${alert.began_us}`, alt: `${camera} at that moment` });
  const shot = make("div", { class: "shot" }, image);
  const play = make("button", { type: "button", class: "play-clip", onclick: () => playClip(alert, camera, shot, play) }, icon("play"), "Play from 5 s before ", make("kbd", {}, "p"));
  const place = make("figure", { class: "moment" }, shot, make("figcaption", { class: "bar" }, play,
    make("a", { class: "button", href: query("/replay", { camera, at: alert.began_us }) }, icon("replay"), "Replay"), make("span", {}, camera, " at ", when(alert.began_us))));
  image.addEventListener("error", () => fill(place, make("p", { class: "soft" }, `${camera} has no recording of that moment`)));
  return place;
}

async function playClip(alert, camera, shot, button) {
  const at_us = alert.began_us - BEFORE_US;
  const told = await get(query(`cameras/${camera}/recordings/moment`, { at: at_us }))
    .catch(() => get(query(`cameras/${camera}/recordings/moment`, { at: alert.began_us })))
    .catch((error) => { fill(shot, make("p", { class: "notice" }, error.words)); return null; });
  if (!told) return;
  if (!told.video) { location.assign(query("/replay", { camera, at: at_us })); return; }
  const video = make("video", { controls: true, playsinline: true, src: told.video });
  video.muted = true;
  video.addEventListener("loadedmetadata", () => { video.currentTime = told.offset_s; video.play().catch(() => {}); }, { once: true });
  video.addEventListener("error", () => fill(shot, make("p", { class: "notice" }, "this browser cannot play the recording; use Replay, or export the clip")));
  fill(shot, video);
  button.disabled = true;
  video.focus();
}

async function who(alert) {
  const known = alert.persons.length ? alert.persons : alert.identity ? [alert.identity] : [];
  if (!known.length) {
    if (!alert.candidate) return alert.cameras.length ? make("p", {}, "Nobody knows who it is yet.") : null;
    return make("p", {}, "Unsure who: nearest is ", person(alert.candidate, alert.names[alert.candidate]), alert.probability === null ? null : ` with ${chance.words(alert.probability)}`);
  }
  const rows = await Promise.all(known.slice(0, 6).map(async (name) => {
    const { items } = await get(query("sightings", { identity: name, limit: 1 })).catch(() => ({ items: [] }));
    return make("li", {}, person(name, alert.names[name]), items.length ? whereNow(items[0]) : null);
  }));
  return make("ul", {}, rows, known.length > 6 ? make("li", { class: "soft" }, `and ${known.length - 6} more`) : null);
}

function grounds(alert) {
  const rows = Object.entries(alert.grounds).filter(([name]) => !(name in GROUNDS)).flatMap(([name, value]) => [
    make("dt", {}, name.replaceAll("_", " ")), make("dd", { class: "numbers" }, typeof value === "object" ? JSON.stringify(value) : String(value))]);
  return rows.length ? make("details", {}, make("summary", {}, "What the rule measured"), make("dl", { class: "facts" }, rows)) : null;
}

const history = (events) => make("ol", { class: "history", "aria-label": "History" }, events.map((event) =>
  make("li", {}, when(event.made_at_us), " ", make("b", {}, event.made_by), " ", PAST[event.kind] ?? event.kind, event.reason ? make("q", {}, event.reason) : null)));

// deeds: buttons of what can be done with it.
export async function showAlert(place, alert, deeds) {
  const looks = make("div", { class: "looks" });
  if (alert.picture) looks.append(picture(alert, looks));
  const camera = alert.picture_camera ?? alert.cameras[0];
  if (camera) looks.append(moment(alert, camera));
  const people = make("div", { class: "who" }, make("h3", {}, "Who"));
  fill(place,
    make("h2", {}, severity(alert.severity), " ", sentence(alert.sentence)),
    make("p", { class: "facts-line" },
      make("span", {}, alert.alert), make("span", {}, alert.severity), make("span", {}, `rule “${alert.rule}”, ${alert.kind}`),
      make("span", {}, when(alert.began_us), alert.ended_us === null ? ", it lasts" : `, ${duration(alert.ended_us - alert.began_us)}`),
      alert.cameras.length ? make("span", {}, alert.cameras.join(", ")) : null, make("b", {}, alert.state)),
    make("div", { class: "bar deeds" }, deeds),
    isOperator ? null : make("p", { class: "soft" }, "You may look; operators acknowledge."),
    looks, people, grounds(alert), make("h3", {}, "History"), history(alert.events));
  place.scrollTop = 0;
  const told = await who(alert);
  if (told) people.append(told);
  else people.remove();
}
