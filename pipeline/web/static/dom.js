// Making and finding elements. Text is always text: nothing here reads HTML out of strings.

const SVG = "http://www.w3.org/2000/svg";

export const find = (words, within = document) => within.querySelector(words);
export const findAll = (words, within = document) => [...within.querySelectorAll(words)];

// make("a", {href: "/x", class: "person", data: {key: "1"}, onclick: f}, "P-0001", icon("sun"))
export function make(name, about = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "data") Object.assign(element.dataset, value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function makeSvg(name, about = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(about)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export const icon = (name) =>
  makeSvg("svg", { class: "icon", "aria-hidden": "true", focusable: "false" }, makeSvg("use", { href: `#i-${name}` }));

// Day or night, always as sign and word.
export function light(modality) {
  if (modality !== "visible" && modality !== "infrared") return null;
  const word = modality === "visible" ? "day" : "night";
  return make("span", { class: "light", data: { light: word } }, icon(word === "day" ? "sun" : "moon"), word);
}

export const person = (name, called) =>
  make("a", { class: "person", href: `/people/${name}` }, name, called ? [" ", make("q", {}, called)] : null);

export const unseen = (words) => make("span", { class: "unseen" }, words);

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
