// Two persons side by side: one, or two?

import { isOperator } from "./api.js";
import { decide, sayAgain } from "./decide.js";
import { find, findAll } from "./dom.js";
import { bind } from "./keys.js";

const { one, other } = document.body.dataset;
const takeBack = sayAgain();

const merge = () => decide("merge", { one, other }, {
  after: (verdict) => `/people/${verdict.moved.map((move) => move.after).find(Boolean) ?? one}`,
});
const apart = () => decide("not-same-persons", { one, other });

// Lanes of either person open that person's page at the visit.
for (const [index, side] of findAll(".side").entries()) {
  for (const link of findAll("a[data-open]", side)) {
    link.setAttribute("href", `/people/${index ? other : one}?visit=${link.dataset.open}`);
  }
}
find("#one")?.addEventListener("click", merge);
find("#two")?.addEventListener("click", apart);
if (isOperator) {
  bind("Compare", {
    s: ["they are one person", merge],
    n: ["they are two", apart],
    u: ["undo what was decided last", () => takeBack?.()],
  });
}
