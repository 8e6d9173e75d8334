// Keys: one letter does one thing; `?` lists them. They rest while somebody writes, and can be
// turned off (some people steer by voice or with shaking hands).

import { fill, find, make } from "./dom.js";

const groups = new Map();
const OFF = "noctule keys off";
let first = null;
let firstTimer = 0;

const areOn = () => localStorage.getItem(OFF) === null;
export const turn = (on) => (on ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));

// bind("Alerts", {j: ["next alert", next], "g a": ["alerts", go], Escape: [null, close]}); null: not listed.
export function bind(group, keys) {
  groups.set(group, { ...groups.get(group), ...keys });
}

const writes = (element) =>
  element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && element.type !== "checkbox" && element.type !== "range";

const bound = (key) => [...groups.values()].reverse().map((keys) => keys[key]?.[1]).filter(Boolean);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const isLetter = event.key.length === 1;
  if (isLetter && (!areOn() || writes(event.target)) && event.key !== "?") return;
  if (event.key === "?" && writes(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const pair = first === null ? [] : bound(`${first} ${event.key}`);
  first = null;
  clearTimeout(firstTimer);
  // The newest binding comes first; one that answers false leaves the key to the next.
  if ((pair.length ? pair : bound(event.key)).some((does) => does(event) !== false)) {
    event.preventDefault();
  } else if (event.key === "g") {
    first = "g";
    firstTimer = setTimeout(() => { first = null; }, 1500);
  }
});

export function showHelp() {
  const parts = [...groups].map(([name, keys]) => {
    const listed = Object.entries(keys).filter(([, [words]]) => words !== null);
    if (!listed.length) return null;
    return [make("h3", {}, name), make("dl", {}, listed.map(([key, [words]]) => [
      make("dt", {}, key.split(" ").map((one, n) => [n ? " " : null, make("kbd", {}, one)])), make("dd", {}, words),
    ]))];
  });
  fill(find("#help-body"), parts.flat(3));
  find("#help-on").checked = areOn();
  find("#help").showModal();
}
