// Times as operators read them: in the site's time zone, with the date when it is not today.

import { make } from "./dom.js";

const root = document.documentElement;
export const zone = root.dataset.zone || "UTC";
const format = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});
// The server's clock counts, not the browser's.
let ahead_us = Number(root.dataset.nowUs || Date.now() * 1000) - Date.now() * 1000;

export const setNow = (now_us) => { ahead_us = now_us - Date.now() * 1000; };
export const now_us = () => Date.now() * 1000 + ahead_us;

function parts(time_us) {
  const found = Object.fromEntries(format.formatToParts(time_us / 1000).map((part) => [part.type, part.value]));
  return { day: `${found.year}-${found.month}-${found.day}`, time: `${found.hour}:${found.minute}:${found.second}` };
}

export const day = (time_us) => parts(time_us).day;
export const timeOfDay = (time_us) => parts(time_us).time;

// HH:MM:SS, after the date where it is not today.
export function clock(time_us) {
  const { day: date, time } = parts(time_us);
  return date === parts(now_us()).day ? time : `${date} ${time}`;
}

export const utc = (time_us) => `${new Date(time_us / 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export const when = (time_us) =>
  make("time", { datetime: `${new Date(time_us / 1000).toISOString().slice(0, 19)}Z`, title: utc(time_us) }, clock(time_us));

// Where room is short: the year is left out, and told to who hovers.
export function shortWhen(time_us) {
  const element = when(time_us);
  element.textContent = clock(time_us).replace(/^\d{4}-/, "");
  return element;
}

// 94 s as "1 min 34 s".
export function duration(span_us) {
  const s = Math.max(0, Math.round(span_us / 1e6));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}
