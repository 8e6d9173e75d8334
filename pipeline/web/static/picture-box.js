// A picture on which one box is drawn: with the pointer, or with the arrow keys.

import { fill, make, makeSvg } from "./dom.js";

const STEP = 0.01;
const LEAST = 0.015;

// Shows the picture at `address` in `stage`; onChange gets [x0, y0, x1, y1] as fractions, or null.
export function pictureBox(stage, address, { words, onChange }) {
  const picture = make("img", { src: address, alt: words, draggable: "false" });
  const rect = makeSvg("rect", { class: "box", "vector-effect": "non-scaling-stroke" });
  const layer = makeSvg("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" }, rect);
  fill(stage, picture, layer);
  stage.hidden = false;
  let box = null;
  let from = null;

  function show(next) {
    box = next;
    const [x0, y0, x1, y1] = box ?? [0, 0, 0, 0];
    for (const [name, value] of Object.entries({ x: x0, y: y0, width: x1 - x0, height: y1 - y0 })) rect.setAttribute(name, value);
    onChange(box);
  }

  const at = (event) => {
    const area = layer.getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - area.left) / area.width), inside((event.clientY - area.top) / area.height)];
  };
  layer.onpointerdown = (event) => {
    from = at(event);
    layer.setPointerCapture(event.pointerId);
    stage.focus();
    event.preventDefault();
  };
  layer.onpointermove = (event) => {
    if (!from) return;
    const [x, y] = at(event);
    show([Math.min(x, from[0]), Math.min(y, from[1]), Math.max(x, from[0]), Math.max(y, from[1])]);
  };
  layer.onpointerup = () => {
    from = null;
    if (box && (box[2] - box[0] < LEAST || box[3] - box[1] < LEAST)) show(null);
  };
  stage.onkeydown = (event) => {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key === "Delete" || event.key === "Backspace") { show(null); event.preventDefault(); }
    if (!moves[event.key]) return;
    event.preventDefault();
    const [dx, dy] = moves[event.key];
    const [x0, y0, x1, y1] = box ?? [0.4, 0.2, 0.6, 0.8];
    if (event.shiftKey) show([x0, y0, Math.min(1, Math.max(x0 + LEAST, x1 + dx)), Math.min(1, Math.max(y0 + LEAST, y1 + dy))]);
    else {
      const mx = Math.min(1 - x1, Math.max(-x0, dx));
      const my = Math.min(1 - y1, Math.max(-y0, dy));
      show([x0 + mx, y0 + my, x1 + mx, y1 + my]);
    }
  };
  show(null);
  return { get box() { return box; } };
}
