// The system itself: room, networks, tokens, messages that failed.

import { get, post, query, remove } from "./api.js";
import { fill, find, icon, make } from "./dom.js";
import { when } from "./times.js";
import { tell, toast } from "./toast.js";

const LATE_S = 5;
const MANY = 30;
const UNITS = ["B", "kB", "MB", "GB", "TB"];

function bytes(n) {
  let size = n, unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) { size /= 1000; unit += 1; }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

const number = (n) => n.toLocaleString("en").replaceAll(",", " ");
const facts = (place, rows) => fill(place, rows.filter(Boolean).flatMap(([name, value]) => [make("dt", {}, name), make("dd", { class: "numbers" }, value)]));

export function table(place, heads, rows, none) {
  if (!rows.length) { fill(place, make("p", { class: "soft" }, none)); return; }
  fill(place, make("table", {}, make("thead", {}, make("tr", {}, heads.map((head) => make("th", {}, head)))),
    make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, cell)))))));
}

async function room() {
  const place = find("#room");
  if (!place) return;
  try {
    const told = await get("/system/room");
    facts(place, [
      ["Disk", `${bytes(told.free_bytes)} free of ${bytes(told.disk_bytes)}; ${bytes(told.reserve_bytes)} stay free`],
      ["Database", bytes(told.database_bytes)],
      told.evidence_bytes === null ? null : ["Pictures", `${bytes(told.evidence_bytes)} in ${number(told.n_evidence_files)} files`],
      ["Sightings", `${number(told.n_sightings)}, ${number(told.n_unsure)} of them unsure who`],
      ["People", number(told.n_identities)],
      told.oldest_us === null ? null : ["From", when(told.oldest_us)],
      told.newest_us === null ? null : ["Until", when(told.newest_us)],
    ]);
    const going = Object.entries(told.going);
    facts(find("#going"), going.length ? going.map(([name, n]) => [name, number(n)]) : [["Nothing", "nothing is old enough"]]);
  } catch (error) {
    tell(error);
  }
}

const share = (part, whole) => (whole ? ` (${(100 * part / whole).toFixed(part && part / whole < 0.001 ? 3 : 1)} %)` : "");

// What is too much stands out, with what to do.
const level = (words, isBad, advice) => (isBad ? [make("span", { class: "bad" }, icon("warn"), " ", words), `: ${advice}`] : words);

async function queues() {
  const place = find("#queue-facts");
  if (!place) return;
  try {
    const { slowest, ...told } = await get("/system/queues");
    facts(place, [
      ["Looking", slowest ? level(`${slowest.behind_s.toFixed(1)} s behind at most, ${slowest.camera}`, slowest.behind_s > LATE_S, "too much for this machine; fewer pictures a second, or fewer cameras") : "no live camera is watched now"],
      ["Pictures dropped", !told.n_seen ? "none" : level(`${number(told.n_dropped)} of ${number(told.n_seen)}${share(told.n_dropped, told.n_seen)}`, told.n_dropped > told.n_seen / 10, "nobody had time for them")],
      ["Visits to be recognised", told.n_visits === null ? "nobody watches now" : level(`${number(told.n_visits)} waiting`, told.n_visits > MANY, "recognising is slower than people come")],
      ["On disk for the database", level(`${number(told.n_spooled)} ${told.n_spooled === 1 ? "visit" : "visits"}, ${bytes(told.spooled_bytes)} of ${bytes(told.spool_limit_bytes)}`, told.n_spooled > 0, "the database was away; they follow once it answers")],
      ["Messages to be sent", told.n_messages ? [`${number(told.n_messages)}, the oldest since `, when(told.oldest_message_us)] : "none"],
      ["Messages given up", told.n_dead ? level(number(told.n_dead), true, "see Messages") : "none"],
    ]);
  } catch (error) {
    facts(place, [["Unknown", error.words]]);
  }
}

async function networks() {
  try {
    const { items: [newest] } = await get(query("sightings", { limit: 1 }));
    facts(find("#networks"), newest ? [["Newest sighting by", make("span", { class: "mono" }, newest.model)], ["Its calibration", newest.link.calibration]] : [["Used", "nobody was described yet"]]);
  } catch (error) {
    tell(error);
  }
}

async function tokens() {
  try {
    const { items } = await get("tokens");
    table(find("#token-list"), ["For", "Account", "May", "Made", "Used", "Ends", ""], items.map((token) => [
      token.name, token.account, token.role, when(token.created_at_us), token.used_at_us === null ? "never" : when(token.used_at_us),
      token.is_void ? "void" : token.expires_at_us === null ? "never" : when(token.expires_at_us),
      token.is_void ? null : make("button", { type: "button", onclick: () => remove(`tokens/${token.token}`).then(() => { toast(`The token “${token.name}” is void`); tokens(); }, tell) }, "Take back"),
    ]), "No token yet. A program sends one instead of a password.");
  } catch (error) {
    tell(error);
  }
}

find("#new-token").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, role, days } = Object.fromEntries(new FormData(event.target));
  try {
    const made = await post("tokens", { name, role, days: days ? Number(days) : null });
    fill(find("#made-token"), make("p", {}, "Copy it now; it is not shown again:"), make("code", { class: "secret" }, made.secret));
    event.target.reset();
    tokens();
  } catch (error) {
    tell(error);
  }
});

async function channels() {
  const place = find("#channels");
  if (!place) return;
  try {
    const [told, dead] = await Promise.all([get("channels"), get(query("deliveries", { state: "dead", limit: 20 }))]);
    fill(place, make("p", {}, told.n_waiting ? `${told.n_waiting} wait to be sent; ` : "Nothing waits; ", told.n_dead ? make("b", { class: "bad" }, `${told.n_dead} could not be sent`) : "nothing failed"),
      told.items.length ? make("div", { class: "bar" }, told.items.map(({ channel, kind }) =>
        make("button", { type: "button", onclick: () => test(channel) }, `Send a test to ${channel} (${kind})`)))
        : make("p", { class: "soft" }, "No channel: alerts stay in the inbox. Channels are written into config.yaml, under alerts.channels."));
    if (!dead.items.length) { fill(find("#dead")); return; }
    table(find("#dead"), ["When", "Channel", "About", "Tries", "What failed", ""], dead.items.map((each) => [
      when(each.queued_at_us), each.channel, each.alert ? make("a", { href: query("/alerts", { state: "all", alert: each.alert }) }, each.alert) : each.purpose,
      String(each.n_tries), each.answer ?? "", make("button", { type: "button", onclick: () => post(`deliveries/${each.delivery}/retry`).then(() => { toast("It is tried again"); channels(); }, tell) }, "Try again"),
    ]), "");
  } catch (error) {
    tell(error);
  }
}

async function test(channel) {
  const away = toast(`Sending a test to ${channel} …`);
  try {
    const told = await post(`channels/${encodeURIComponent(channel)}/test`);
    toast(`${channel}: ${told.is_delivered ? "delivered" : "not delivered"} after ${told.took_s.toFixed(1)} s; ${told.answer}`, { isBad: !told.is_delivered });
  } catch (error) {
    tell(error);
  }
  away();
}

document.addEventListener("pulse", queues);
queues();
room();
networks();
tokens();
channels();
