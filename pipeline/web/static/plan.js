// The floor plan: cameras are put on it and turned; each change is kept at once and can be undone.

import { get, put, replace } from "./api.js";
import { fill, find, make, makeSvg } from "./dom.js";
import { tell, toast } from "./toast.js";

const { dataset } = document.body;
const [wide, high, scale] = [dataset.wide, dataset.high, dataset.scale].map(Number);
const cameras = dataset.cameras.split(" ").filter(Boolean);
const plan = find("#plan");
const form = find("#plan-form");
const canPlace = Boolean(form);
const unit = Math.max(wide, high) / 640;
const places = new Map();

function wedge(x, y, heading_deg) {
  const corners = [[x, y]];
  for (const turn of [-25, -12, 0, 12, 25]) {
    const angle = (heading_deg + turn) * Math.PI / 180;
    corners.push([x + 54 * unit * Math.sin(angle), y - 54 * unit * Math.cos(angle)]);
  }
  return corners.map((corner) => corner.map((value) => value.toFixed(1)).join(",")).join(" ");
}

function spot(camera) {
  const { x_m, y_m, heading_deg } = places.get(camera);
  const [x, y] = [x_m / scale, y_m / scale];
  return makeSvg("g", { class: "spot", tabindex: canPlace ? "0" : null, role: canPlace ? "button" : null, "aria-label": `${camera}, looks to ${Math.round(heading_deg)} degrees`, "data-camera": camera },
    makeSvg("polygon", { class: "view", points: wedge(x, y, heading_deg) }),
    makeSvg("circle", { cx: x, cy: y, r: 8 * unit, "stroke-width": 2 * unit }),
    makeSvg("text", { x, y: y - 13 * unit, "font-size": 13 * unit, "stroke-width": 3 * unit, "text-anchor": "middle" }, camera));
}

function draw(focused = null) {
  const placed = cameras.filter((camera) => places.get(camera)?.x_m !== null && places.has(camera));
  fill(find("#spots"), placed.map(spot));
  fill(find("#places"), cameras.map((camera) => {
    const isPlaced = placed.includes(camera);
    const words = isPlaced ? `${places.get(camera).x_m.toFixed(1)} m, ${places.get(camera).y_m.toFixed(1)} m` : "not on the plan";
    return make("li", {}, make("span", {}, make("b", {}, camera), ` ${words}`),
      canPlace ? make("button", { type: "button", "aria-label": `${isPlaced ? "Take off" : "Place"} ${camera}`, onclick: () => (isPlaced ? keep(camera, { x_m: null, y_m: null, heading_deg: 0 }) : keep(camera, { x_m: wide * scale / 2, y_m: high * scale / 2, heading_deg: 0 })) }, isPlaced ? "Take off" : "Place") : null);
  }));
  if (focused) find(`#spots [data-camera="${focused}"]`)?.focus();
}

async function keep(camera, next, { isQuiet = false } = {}) {
  const before = places.get(camera) ?? { x_m: null, y_m: null, heading_deg: 0 };
  try {
    const { x_m, y_m, heading_deg } = await put(`cameras/${camera}/place`, { x_m: next.x_m, y_m: next.y_m, heading_deg: next.heading_deg ?? 0 });
    places.set(camera, { x_m, y_m, heading_deg });
    draw(x_m === null ? null : camera);
    if (!isQuiet) toast(x_m === null ? `${camera} is off the plan` : `${camera} is placed`, { undo: () => keep(camera, before, { isQuiet: true }) });
  } catch (error) { tell(error); }
}

let dragged = null;
const moved = new Map();
function move(camera, next) {
  places.set(camera, { ...places.get(camera), ...next });
  draw(camera);
  clearTimeout(moved.get(camera));
  moved.set(camera, setTimeout(() => keep(camera, places.get(camera), { isQuiet: true }), 500));
}

if (plan && canPlace) {
  const at = (event) => {
    const area = plan.getBoundingClientRect();
    return { x_m: (event.clientX - area.left) / area.width * wide * scale, y_m: (event.clientY - area.top) / area.height * high * scale };
  };
  plan.addEventListener("pointerdown", (event) => {
    dragged = event.target.closest("[data-camera]")?.dataset.camera ?? null;
    if (dragged) { plan.setPointerCapture(event.pointerId); event.preventDefault(); }
  });
  plan.addEventListener("pointermove", (event) => { if (dragged) move(dragged, at(event)); });
  plan.addEventListener("pointerup", () => { dragged = null; });
  plan.addEventListener("keydown", (event) => {
    const camera = event.target.dataset?.camera;
    if (!camera) return;
    const place = places.get(camera);
    const step = scale * unit * (event.shiftKey ? 20 : 4);
    const moves = { ArrowLeft: { x_m: place.x_m - step }, ArrowRight: { x_m: place.x_m + step }, ArrowUp: { y_m: place.y_m - step }, ArrowDown: { y_m: place.y_m + step }, "[": { heading_deg: (place.heading_deg + 345) % 360 }, "]": { heading_deg: (place.heading_deg + 15) % 360 } };
    if (!moves[event.key]) return;
    event.preventDefault();
    move(camera, moves[event.key]);
  });
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await replace("plan", new FormData(form));
    location.reload();
  } catch (error) { tell(error); }
});

if (plan) {
  try {
    for (const place of (await get("plan")).places) places.set(place.camera, place);
    draw();
  } catch (error) { tell(error); }
}
