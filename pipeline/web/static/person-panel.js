// A person in the side panel: where they are now, where they were, how we know.

import { BASE, get, query } from "./api.js";
import { chance } from "./chance.js";
import { icon, light, make, person as link } from "./dom.js";
import { openPanel } from "./panel.js";
import { duration, now_us, when } from "./times.js";
import { tell } from "./toast.js";

export const crop = (sighting, picture, about = {}) =>
  make("img", { src: `${BASE}/sightings/${sighting}/pictures/${picture}`, alt: "", loading: "lazy", ...about });

function howKnown(link_) {
  if (link_.is_operators) return `${link_.made_by} said so`;
  if (link_.decision === "new") return "a new person";
  if (link_.probability === null) return link_.reason;
  const sure = chance.words(link_.probability);
  return link_.decision === "unsure"
    ? `unsure: ${link_.candidate ?? "somebody"} with ${sure}`
    : `probably the same person (${sure})`;
}

// "now at gate" or "last seen at gate, 4 min ago".
export function whereNow(visit) {
  const ago_us = now_us() - visit.last_seen_us;
  return make("p", {}, ago_us < 20e6 ? "Now at " : "Last seen at ", make("b", {}, visit.camera), " ", light(visit.modality), " ",
    when(visit.last_seen_us), ago_us < 20e6 ? null : make("span", { class: "soft" }, ` (${duration(ago_us)} ago)`));
}

function visitRow(visit) {
  const body = [
    visit.pictures.length ? crop(visit.sighting, visit.pictures[0], { width: 44, height: 88, class: "thumb" }) : make("span", { class: "thumb" }),
    make("div", {},
      make("p", {}, make("b", {}, visit.camera), " ", light(visit.modality)),
      make("p", { class: "numbers" }, when(visit.first_seen_us), make("span", { class: "soft" }, `, ${duration(visit.last_seen_us - visit.first_seen_us)}`)),
      make("p", { class: "soft" }, howKnown(visit.link))),
  ];
  return make("li", { class: "visit-row" }, body);
}

let asked = 0;

export async function openPerson(name, options = {}) {
  asked += 1;
  const mine = asked;
  try {
    const [who, visits] = await Promise.all([
      get(`identities/${name}`), get(query("sightings", { identity: name, limit: 12 }))]);
    if (mine !== asked) return;
    openPanel(who.name ? `${who.identity} “${who.name}”` : who.identity, [
      visits.items.length ? whereNow(visits.items[0]) : null,
      make("p", { class: "soft" }, `${who.n_sightings} ${who.n_sightings === 1 ? "sighting" : "sightings"} since `, when(who.first_seen_us)),
      make("p", { class: "bar" }, make("a", { class: "button first", href: `/people/${who.identity}` }, icon("person"), "Open the person")),
      make("ol", { class: "visit-rows" }, visits.items.map(visitRow)),
    ], options);
  } catch (error) {
    tell(error);
  }
}

// A visit of nobody known.
export async function openVisit(sighting) {
  try {
    const visit = await get(`sightings/${sighting}`);
    if (visit.identity) { openPerson(visit.identity); return; }
    openPanel("Nobody is sure who", [
      whereNow(visit),
      make("p", {}, visit.link.reason),
      visit.link.candidate ? make("p", {}, "Nearest: ", link(visit.link.candidate), visit.link.probability === null ? null : ` (${chance.words(visit.link.probability)})`) : null,
      make("div", { class: "crops" }, visit.pictures.map((picture) => crop(visit.sighting, picture, { alt: "What was seen" }))),
    ]);
  } catch (error) {
    tell(error);
  }
}
