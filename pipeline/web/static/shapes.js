// Zones and lines on the picture of a camera: clicked, or set with the arrow keys; corners snap.

import { get, post, put, remove } from "./api.js";
import { fill, find, icon, make, makeSvg } from "./dom.js";
import { bind } from "./keys.js";
import { tell, toast } from "./toast.js";

const { camera } = document.body.dataset;
const canDraw = Boolean(find("#new-zone"));
const stage = find("#stage");
const layer = find("#layer");
const SNAP = 0.018;
const STEP = 0.01;
const FEWEST = { zone: 3, line: 2 };
let shapes = [];
let drawing = null;
let cursor = [0.5, 0.5];

const corners = () => [...shapes.flatMap((shape) => shape.points), [0, 0], [1, 0], [0, 1], [1, 1]];

function snapped([x, y]) {
  for (const [cx, cy] of corners()) if (Math.hypot(cx - x, cy - y) < SNAP) return [cx, cy];
  const edge = (value) => (value < SNAP ? 0 : value > 1 - SNAP ? 1 : value);
  return [edge(x), edge(y)];
}

const at = (event) => {
  const area = layer.getBoundingClientRect();
  return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height].map((value) => Math.min(1, Math.max(0, value)));
};
const pair = ([x, y]) => `${(1000 * x).toFixed(1)},${(1000 * y).toFixed(1)}`;
const thin = { "vector-effect": "non-scaling-stroke" };

function outline(kind, points, extra = "") {
  return kind === "zone"
    ? makeSvg("polygon", { class: `zone ${extra}`, points: points.map(pair).join(" "), ...thin })
    : makeSvg("polyline", { class: `line ${extra}`, points: points.map(pair).join(" "), ...thin });
}

// Across the middle of a line, to the side that counts as "forward": to the right of who walks it.
function arrow(points) {
  const [a, b] = [points[0], points[points.length - 1]];
  const area = layer.getBoundingClientRect();
  const [dx, dy] = [(b[0] - a[0]) * area.width, (b[1] - a[1]) * area.height];
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [-dy / length, dx / length];
  const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const tip = [middle[0] + 26 * nx / area.width, middle[1] + 26 * ny / area.height];
  const side = (by) => [tip[0] + (-9 * nx + by * dx / length * 7) / area.width, tip[1] + (-9 * ny + by * dy / length * 7) / area.height];
  return makeSvg("path", { class: "line", d: `M${pair(middle)}L${pair(tip)}M${pair(side(1))}L${pair(tip)}L${pair(side(-1))}`, ...thin });
}

function draw() {
  const parts = shapes.flatMap((shape) => [outline(shape.kind, shape.points), shape.kind === "line" ? arrow(shape.points) : null]);
  if (drawing) {
    parts.push(outline(drawing.points.length > 2 ? drawing.kind : "line", drawing.points, "new"));
    parts.push(makeSvg("path", { class: "cross", d: `M${pair([cursor[0], cursor[1] - 0.03])}L${pair([cursor[0], cursor[1] + 0.03])}M${pair([cursor[0] - 0.02, cursor[1]])}L${pair([cursor[0] + 0.02, cursor[1]])}`, ...thin }));
  }
  fill(layer, parts);
  const area = layer.getBoundingClientRect();
  const labels = find("#labels");
  labels.setAttribute("viewBox", `0 0 ${area.width || 1} ${area.height || 1}`);
  fill(labels, shapes.map((shape) => makeSvg("text", { x: shape.points[0][0] * area.width + 5, y: Math.max(14, shape.points[0][1] * area.height - 5) }, shape.name)));
}

function list() {
  fill(find("#shapes"), shapes.length ? shapes.map((shape) => make("li", {},
    make("span", {}, make("b", {}, shape.name), ` ${shape.kind}, ${shape.points.length} corners`),
    shape.origin === "config" ? make("span", { class: "soft" }, "from config.yaml") : null,
    canDraw && shape.shape ? make("button", { type: "button", onclick: () => rename(shape) }, "Rename") : null,
    canDraw && shape.shape ? make("button", { type: "button", "aria-label": `Remove ${shape.name}`, onclick: () => take(shape) }, icon("close")) : null,
  )) : make("li", { class: "soft" }, "Nothing is drawn yet."));
}

async function load() {
  try {
    shapes = (await get(`cameras/${camera}/shapes`)).items;
    draw();
    list();
  } catch (error) { tell(error); }
}

const kept = ({ kind, name, points }) => ({ kind, name, points });

async function take(shape) {
  try {
    await remove(`shapes/${shape.shape}`);
    toast(`${shape.kind} “${shape.name}” is removed`, { undo: () => post(`cameras/${camera}/shapes`, kept(shape)).then(load, tell) });
    await load();
  } catch (error) { tell(error); }
}

function rename(shape) {
  begin(shape.kind, shape);
  find("#shape-name").value = shape.name;
  find("#shape-name").focus();
}

function begin(kind, changed = null) {
  drawing = { kind, points: changed ? changed.points : [], changed };
  find("#shape-form").hidden = false;
  find("#shape-name").value = "";
  find("#drawing-words").textContent = changed ? "Change the name, and keep it." : `Click the corners of the ${kind} on the picture, then name it.`;
  stage.focus();
  draw();
}

function end() {
  drawing = null;
  find("#shape-form").hidden = true;
  find("#drawing-words").textContent = "Corners snap to edges and to other corners.";
  draw();
}

async function keep(event) {
  event.preventDefault();
  const { kind, points, changed } = drawing;
  if (points.length < FEWEST[kind]) { toast(`a ${kind} takes ${FEWEST[kind]} corners or more`, { isBad: true }); stage.focus(); return; }
  const asked = { kind, name: find("#shape-name").value.trim(), points };
  try {
    const made = changed ? await put(`shapes/${changed.shape}`, asked) : await post(`cameras/${camera}/shapes`, asked);
    toast(`${kind} “${made.name}” is kept`, { undo: () => (changed ? put(`shapes/${made.shape}`, kept(changed)) : remove(`shapes/${made.shape}`)).then(load, tell) });
    end();
    await load();
  } catch (error) { tell(error); }
}

function corner(point) {
  const next = snapped(point);
  cursor = next;
  drawing.points = [...drawing.points, next];
  draw();
}

layer.addEventListener("pointerdown", (event) => { if (drawing && !drawing.changed) { corner(at(event)); event.preventDefault(); } });
layer.addEventListener("pointermove", (event) => { if (drawing) { cursor = snapped(at(event)); draw(); } });
stage.addEventListener("keydown", (event) => {
  if (!drawing || drawing.changed) return;
  const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  if (moves[event.key]) cursor = cursor.map((value, side) => Math.min(1, Math.max(0, value + moves[event.key][side] * (event.shiftKey ? 5 : 1))));
  else if (event.key === "Enter") corner(cursor);
  else if (event.key === "Backspace") drawing.points = drawing.points.slice(0, -1);
  else if (event.key === "Escape") { end(); event.preventDefault(); return; }
  else return;
  event.preventDefault();
  draw();
});
find("#shape-form").addEventListener("submit", keep);
find("#shape-cancel").addEventListener("click", end);
find("#new-zone")?.addEventListener("click", () => begin("zone"));
find("#new-line")?.addEventListener("click", () => begin("line"));
if (canDraw) bind("Camera", { z: ["draw a zone", () => begin("zone")], l: ["draw a line", () => begin("line")] });
new ResizeObserver(draw).observe(stage);
await load();
