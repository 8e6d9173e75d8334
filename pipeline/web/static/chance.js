// Chances as words and as bars.

import { makeSvg } from "./dom.js";

// Never a hundred, or nothing, where there is doubt.
function words(probability) {
  if (probability >= 0.995 && probability < 1) return "over 99 %";
  if (probability > 0 && probability < 0.005) return "under 1 %";
  return `${Math.round(100 * probability)} %`;
}

const bar = (probability) => makeSvg("svg", { class: "chance", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
  makeSvg("rect", { class: "ground", width: 100, height: 10 }),
  makeSvg("rect", { class: "full", width: 100 * probability, height: 10 }));

export const chance = { words, bar };
