// Times of the site typed into fields, as microseconds UTC, and back.

import { day, timeOfDay, zone } from "./times.js";

const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

function offset_ms(utc_ms) {
  const found = Object.fromEntries(parts.formatToParts(utc_ms).map((part) => [part.type, Number(part.value)]));
  return Date.UTC(found.year, found.month - 1, found.day, found.hour, found.minute, found.second) - Math.floor(utc_ms / 1000) * 1000;
}

// "2026-06-01T14:00:05" of the site's clock; null for what is no time. In the hour that comes twice
// in autumn, the first.
export function fromField(text) {
  const wall_ms = Date.parse(`${text}Z`);
  if (Number.isNaN(wall_ms)) return null;
  const before_ms = wall_ms - offset_ms(wall_ms);
  const utc_ms = offset_ms(before_ms) === wall_ms - before_ms ? before_ms : wall_ms - offset_ms(before_ms);
  return utc_ms * 1000;
}

export const toField = (time_us) => `${day(time_us)}T${timeOfDay(time_us)}`;
