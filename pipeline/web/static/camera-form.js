// Adding a camera, or changing one: found in the network, looked at, then watched. Its password is
// sent, never shown.

import { post, put, remove } from "./api.js";
import { fill, find, icon, make } from "./dom.js";
import { tell, toast } from "./toast.js";

const SAID = "noctule camera said";
const dialog = find("#camera");
const form = find("#camera-form");
const told = find("#camera-told");
const { changes = null, light, transport } = form.dataset;
const words = (error) => make("p", { class: "notice bad" }, error.words ?? error.message);
const asked = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

function facts(seen) {
  const measured = (value, digits, unit) => (value === null ? "not measured" : `${value.toFixed(digits)}${unit}`);
  const rows = [
    ["picture", `${seen.width_px} × ${seen.height_px}, ${seen.codec}`],
    ["pictures a second", measured(seen.fps, 1, "")],
    ["a whole picture every", measured(seen.keyframe_interval_s, 1, " s")],
    ["light now", seen.modality === "visible" ? "day" : "night"],
    ["first picture after", `${seen.first_frame_s.toFixed(1)} s`],
    ["tells its time", seen.has_sender_clock ? `yes${seen.clock_off_s === null ? "" : `, ${seen.clock_off_s.toFixed(1)} s behind ours`}` : "no"],
  ];
  return [make("dl", { class: "facts" }, rows.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    seen.advice.length ? make("ul", {}, seen.advice.map((advice) => make("li", {}, advice))) : make("p", { class: "good" }, icon("check"), "Good: there is nothing to change.")];
}

async function probe(event) {
  const { source = null, transport: by } = asked();
  if (!find("#camera-source").reportValidity()) return;
  const button = event.currentTarget;
  fill(told, make("p", { class: "soft" }, "Looking at it; this takes up to half a minute …"));
  button.disabled = true;
  try {
    fill(told, facts(await post("cameras/probe", { source, transport: by, camera: source === null ? changes : null })));
  } catch (error) {
    fill(told, words(error));
  }
  button.disabled = false;
}

function take(address) {
  const field = find("#camera-source");
  field.value = `rtsp://${address.includes(":") ? `[${address}]` : address}/`;
  field.focus();
}

function device({ address, name, model }) {
  return make("li", {}, make("span", {}, make("b", {}, address), ` ${[name, model].filter(Boolean).join(", ")}`),
    make("button", { type: "button", onclick: () => take(address) }, "Take it"));
}

async function discover(event) {
  const place = find("#camera-found");
  const button = event.currentTarget;
  fill(place, make("p", { class: "soft" }, "Asking the network; 3 seconds …"));
  button.disabled = true;
  try {
    const { items } = await post("cameras/discover");
    fill(place, items.length
      ? make("ul", { class: "shapes" }, items.map(device))
      : make("p", { class: "soft" }, "No camera answered. Those in other networks, or with ONVIF turned off, do not: give their address."));
  } catch (error) {
    fill(place, words(error));
  }
  button.disabled = false;
}

async function add() {
  const { camera, watcher } = await post("cameras", asked());
  return { words: `${camera} is added; ${watcher}`, camera, back: { does: "remove" } };
}

// Only what was changed: what is left out stays.
async function change() {
  const wanted = asked();
  if (wanted.modality === light) delete wanted.modality;
  if (wanted.transport === transport) delete wanted.transport;
  const { camera, watcher } = await put(`cameras/${changes}`, wanted);
  const back = wanted.source ? null : { does: "put", values: { modality: light, transport } };
  return { words: `${camera} is changed; ${watcher}`, camera, back };
}

// Says what was done before the page was loaded anew, and offers the way back.
function sayAgain() {
  const kept = sessionStorage.getItem(SAID);
  if (!kept) return;
  sessionStorage.removeItem(SAID);
  const { words: said, camera, back } = JSON.parse(kept);
  const path = `cameras/${camera}`;
  const takeBack = () => (back.does === "remove" ? remove(path) : put(path, back.values));
  toast(said, { undo: back && (() => takeBack().then(() => location.reload(), tell)) });
}

async function answer(event) {
  if (event.submitter?.value === "no") return;
  event.preventDefault();
  try {
    const done = await (changes === null ? add() : change());
    sessionStorage.setItem(SAID, JSON.stringify(done));
    form.reset();
    dialog.close();
    location.reload();
  } catch (error) {
    fill(told, words(error));
  }
}

find("#camera-open").addEventListener("click", () => {
  form.reset();
  fill(told);
  if (changes === null) fill(find("#camera-found"));
  dialog.showModal();
  find(changes === null ? "#camera-name" : "#camera-source").focus();
});
find("#camera-probe").addEventListener("click", probe);
find("#camera-discover")?.addEventListener("click", discover);
form.addEventListener("submit", answer);
sayAgain();
