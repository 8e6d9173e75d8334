// Taking alerts out: the recording of one, the table of many.

import { get, post, query } from "./api.js";
import { make } from "./dom.js";
import { tell, toast } from "./toast.js";

const BEFORE_US = 5_000_000;
const AFTER_US = 5_000_000;
const LONGEST_US = 3_600_000_000;
const MOST = 10_000;
const COLUMNS = ["alert", "state", "severity", "rule", "kind", "sentence", "began", "ended", "raised_at", "cameras", "persons", "candidate", "probability"];

export function keep(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// One zip per camera: the clip as it was recorded, and a paper that says what it is.
export async function exportClips(alert) {
  const from = alert.began_us - BEFORE_US;
  const to = Math.min((alert.ended_us ?? alert.began_us) + AFTER_US, from + LONGEST_US);
  for (const camera of alert.cameras) {
    const away = toast(`Exporting ${camera} …`);
    try {
      const answer = await post(`cameras/${camera}/clips`, { from: String(Math.max(0, from)), to: String(to), reason: alert.alert }, { raw: true })
        .catch(() => post(`cameras/${camera}/clips`, { from: String(alert.began_us), to: String(to - AFTER_US), reason: alert.alert }, { raw: true }));
      keep(await answer.blob(), `${alert.alert}-${camera}.zip`);
      toast(`${alert.alert}: ${camera} exported, with its paper`);
    } catch (error) {
      tell(error);
    }
    away();
  }
}

// A cell that a spreadsheet takes as text, never as a formula.
const cell = (value) => {
  const words = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(words) ? `'${words}` : words;
  return `"${safe.replaceAll('"', '""')}"`;
};

export async function exportList(asked) {
  const lines = [COLUMNS.join(",")];
  let cursor = null;
  try {
    do {
      const told = await get(query("alerts", { ...asked, limit: 500, cursor }));
      for (const alert of told.items) lines.push(COLUMNS.map((name) => cell(alert[name])).join(","));
      cursor = told.next;
    } while (cursor !== null && lines.length <= MOST);
    keep(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }), "alerts.csv");
    toast(cursor === null ? `${lines.length - 1} alerts exported` : `the newest ${lines.length - 1} alerts exported; there are more, choose a day`);
  } catch (error) {
    tell(error);
  }
}
