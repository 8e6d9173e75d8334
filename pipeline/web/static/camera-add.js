// Adding a camera: found in the network, looked at, then watched. Its password is sent, never shown.

import { post, remove } from "./api.js";
import { fill, find, icon, make } from "./dom.js";
import { tell, toast } from "./toast.js";

const STAYS_MS = 4000;
const dialog = find("#add");
const form = find("#add-form");
const told = find("#add-told");
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
  const { source, transport } = asked();
  if (!find("#add-source").reportValidity()) return;
  const button = event.currentTarget;
  fill(told, make("p", { class: "soft" }, "Looking at it; this takes up to half a minute …"));
  button.disabled = true;
  try {
    fill(told, facts(await post("cameras/probe", { source, transport })));
  } catch (error) {
    fill(told, words(error));
  }
  button.disabled = false;
}

function take(address) {
  const field = find("#add-source");
  field.value = `rtsp://${address.includes(":") ? `[${address}]` : address}/`;
  field.focus();
}

function device({ address, name, model }) {
  return make("li", {}, make("span", {}, make("b", {}, address), ` ${[name, model].filter(Boolean).join(", ")}`),
    make("button", { type: "button", onclick: () => take(address) }, "Take it"));
}

async function discover(event) {
  const place = find("#add-found");
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

async function add(event) {
  if (event.submitter?.value !== "add") return;
  event.preventDefault();
  try {
    const made = await post("cameras", asked());
    dialog.close();
    form.reset();
    toast(`${made.camera} is added; ${made.watcher}`, { undo: () => remove(`cameras/${made.camera}`).then(() => location.reload(), tell) });
    setTimeout(() => location.reload(), STAYS_MS);
  } catch (error) {
    fill(told, words(error));
  }
}

find("#add-open").addEventListener("click", () => { fill(told); fill(find("#add-found")); dialog.showModal(); find("#add-name").focus(); });
find("#add-probe").addEventListener("click", probe);
find("#add-discover").addEventListener("click", discover);
form.addEventListener("submit", add);
