// Search by picture: an upload, or a box on what a camera sees or saw.

import { get, query, upload } from "./api.js";
import { fill, find, findAll, icon, light, make, person } from "./dom.js";
import { bind } from "./keys.js";
import { pictureBox } from "./picture-box.js";
import { when } from "./times.js";
import { tell } from "./toast.js";
import { chance } from "./chance.js";
import { fromField } from "./zoned.js";

const stage = find("#stage");
let file = null;
let drawn = null;
let address = null;

function show(blob, words) {
  file = blob;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(blob);
  drawn = pictureBox(stage, address, {
    words,
    onChange: (box) => {
      find("#stage-words").textContent = box
        ? "Only what is in the box is searched. Delete takes the box away."
        : "Draw a box round one person; without a box, the whole picture is searched.";
    },
  });
  find("#go").disabled = false;
}

async function showFrame() {
  const camera = find("#frame-camera").value;
  if (!camera) { find("#frame-camera").focus(); return; }
  const at = find("#frame-at").value;
  const path = at
    ? query(`cameras/${camera}/recordings/picture`, { at: fromField(at) })
    : `cameras/${camera}/picture`;
  try {
    const answer = await get(path, { raw: true });
    show(await answer.blob(), at ? `${camera} at ${at.replace("T", " ")}` : `${camera} now`);
    stage.focus();
  } catch (error) { tell(error); }
}

function take(given) {
  const picture = [...given].find((one) => one.type.startsWith("image/"));
  if (picture) show(picture, picture.name || "the picture that was pasted");
}

const LIGHTS = { visible: "day", infrared: "night" };
const pairWords = ([mine, theirs]) =>
  mine === theirs ? `both by ${LIGHTS[mine]}` : `${LIGHTS[mine]} against ${LIGHTS[theirs]}`;

const crop = (visit, picture) =>
  make("img", { class: "crop", loading: "lazy", src: `/api/v1/sightings/${visit.sighting}/pictures/${picture}`, alt: `${visit.identity ?? "somebody"} at ${visit.camera} by ${LIGHTS[visit.modality]}` });

async function showLooks(candidate, place) {
  try {
    const { items } = await get(`identities/${candidate.identity}/trajectory?limit=12`);
    const found = [];
    for (const modality of ["visible", "infrared"]) {
      const crops = items.filter((visit) => visit.modality === modality && visit.pictures.length).slice(0, 3).map((visit) => crop(visit, visit.pictures[0]));
      if (crops.length) found.push(make("div", { class: "look" }, light(modality), make("div", { class: "crops" }, crops)));
    }
    fill(place, found);
  } catch (error) { fill(place, make("span", { class: "soft" }, error.words ?? "")); }
}

function row(candidate, best) {
  const looks = make("div", { class: "looks" });
  const isBest = candidate === best;
  const element = make("li", { class: "candidate", data: { person: candidate.identity } },
    make("div", { class: "who" },
      make("p", {}, person(candidate.identity, candidate.name), " ", make("b", { class: "numbers" }, chance.words(candidate.probability))),
      chance.bar(candidate.probability),
      make("p", { class: "soft" }, `${pairWords(candidate.compared)}, ${candidate.n_looks} ${candidate.n_looks === 1 ? "look" : "looks"} compared`),
      make("p", { class: "soft" }, "nearest ", candidate.nearest_camera, " ", when(candidate.nearest_seen_us)),
      make("p", { class: "bar" },
        make("a", { class: "button", href: `/replay?camera=${candidate.nearest_camera}&at=${candidate.nearest_seen_us}&follow=${candidate.identity}` }, icon("play"), "Play"),
        isBest ? null : make("a", { class: "button", href: `/compare?one=${best.identity}&other=${candidate.identity}` }, `Compare with ${best.identity}`))),
    looks);
  showLooks(candidate, looks);
  return element;
}

function showFound(answer) {
  const [best] = answer.candidates;
  if (!best) {
    fill(find("#found"), make("p", {}, "Nobody known looks like this. A wider time, or another camera, may find more."));
    return;
  }
  fill(find("#found"),
    make("p", {}, "Picture taken as ", light(answer.modality), `; ${answer.n_people} ${answer.n_people === 1 ? "person" : "people"} could be meant; nobody of them: ${chance.words(answer.probability_nobody_known)}`),
    make("ol", { class: "candidates" }, answer.candidates.map((one) => row(one, best))));
}

async function search(event) {
  event.preventDefault();
  if (!file) return;
  const form = new FormData(find("#search-form"));
  const asked = new FormData();
  asked.set("picture", file, "picture");
  if (drawn?.box) asked.set("box", drawn.box.map((part) => part.toFixed(4)).join(","));
  for (const name of ["camera", "seen_in", "light", "reason"]) if (form.get(name)) asked.set(name, form.get(name));
  for (const name of ["from", "to"]) if (form.get(name)) asked.set(name, String(fromField(form.get(name))));
  find("#go").disabled = true;
  find("#busy").textContent = "Looking; the first search takes some seconds …";
  try { showFound(await upload("search", asked)); } catch (error) { tell(error); }
  find("#busy").textContent = "";
  find("#go").disabled = false;
}

find("#search-form").addEventListener("submit", search);
find("#frame-show").addEventListener("click", showFrame);
find("#file").addEventListener("change", (event) => take(event.target.files));
const drop = find("#drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files); });
addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
if (find("#frame-camera").value) showFrame();

function step(by) {
  const links = findAll(".candidate .person");
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}
bind("Search", { j: ["next person", () => step(1)], k: ["person before", () => step(-1)] });
