// Boxes over a picture, drawn in the page: the picture itself stays as the camera sent it.
// Whole line: known. Dashed: unsure who, or nobody knows yet; bold, if it is not decided yet but a
// first look already says who it may be.

import { chance } from "./chance.js";

const OLD_US = 1_500_000;

// Where a picture of these sides lies within an element that contains it whole.
export function inside(element, width, height) {
  const w = element.clientWidth, h = element.clientHeight;
  const scale = Math.min(w / width, h / height);
  return { x: (w - width * scale) / 2, y: (h - height * scale) / 2, w: width * scale, h: height * scale };
}

const mayBe = (box) => Boolean(box.candidate) && box.first_look === "link";
export const whoOf = (box) => box.person ?? box.candidate;

export function wordsOf(box, called) {
  const sure = typeof box.probability === "number" ? chance.words(box.probability) : "";
  const who = called ? `${whoOf(box)} ${called}` : whoOf(box);
  if (box.person) return who;
  if (mayBe(box)) return `maybe ${who} · ${sure}`;
  if (box.candidate) return `${box.candidate}? ${sure}`.trim();
  return box.first_look === "new" ? `maybe somebody new · ${sure}` : "somebody";
}

export const fresh = (boxes, captured_at_us) =>
  boxes.filter((box) => !box.last_seen_us || captured_at_us - box.last_seen_us <= OLD_US);

// Returns [{box, x, y, w, h}] in CSS pixels of the canvas, to find what is under a pointer.
export function drawBoxes(canvas, picture, boxes, names) {
  const ratio = devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  if (!picture) return [];
  const frame = inside(canvas, picture.width, picture.height);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  return boxes.map((box) => {
    const [x0, y0, x1, y1] = box.xyxy;
    const place = { box, x: frame.x + x0 * frame.w, y: frame.y + y0 * frame.h, w: (x1 - x0) * frame.w, h: (y1 - y0) * frame.h };
    drawOne(pen, place, wordsOf(box, names.get(whoOf(box))), w);
    return place;
  });
}

function drawOne(pen, { box, x, y, w, h }, words, width) {
  const isKnown = Boolean(box.person) || mayBe(box);
  pen.setLineDash(box.person ? [] : [5, 4]);
  for (const [color, line] of [["rgb(0 0 0 / 70%)", isKnown ? 4 : 3], [isKnown ? "#9fdcea" : "#ffffff", isKnown ? 2 : 1.2]]) {
    pen.strokeStyle = color;
    pen.lineWidth = line;
    pen.strokeRect(x, y, w, h);
  }
  pen.setLineDash([]);
  const wide = pen.measureText(words).width + 10;
  const left = Math.max(0, Math.min(x, width - wide));
  const top = y >= 18 ? y - 18 : y + 1;
  pen.fillStyle = "rgb(6 14 17 / 82%)";
  pen.fillRect(left, top, wide, 17);
  pen.fillStyle = isKnown ? "#bfeaf4" : "#f1f4f5";
  pen.fillText(words, left + 5, top + 9);
}

export const under = (places, event) => {
  const at = event.currentTarget.getBoundingClientRect();
  const x = event.clientX - at.left, y = event.clientY - at.top;
  return places.filter((place) => x >= place.x && x <= place.x + place.w && y >= place.y && y <= place.y + place.h)
    .sort((one, other) => one.w * one.h - other.w * other.h)[0]?.box ?? null;
};
