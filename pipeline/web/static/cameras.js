// The list of cameras; adding one looks at it first, and says in words what is good.

import { post, remove } from "./api.js";
import { fill, find, findAll, icon, make } from "./dom.js";
import { tell, toast } from "./toast.js";

const dialog = find("#add");
const form = find("#add-form");
const asked = () => Object.fromEntries(new FormData(form));

function facts(seen) {
  const rows = [
    ["picture", `${seen.width_px} × ${seen.height_px}, ${seen.codec}`],
    ["pictures a second", seen.fps === null ? "not measured" : seen.fps.toFixed(1)],
    ["light now", seen.modality === "visible" ? "day" : "night"],
    ["first picture after", `${seen.first_frame_s.toFixed(1)} s`],
    ["tells its time", seen.has_sender_clock ? `yes${seen.clock_off_s === null ? "" : `, ${seen.clock_off_s.toFixed(1)} s behind ours`}` : "no"],
  ];
  return [make("dl", { class: "facts" }, rows.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    seen.advice.length ? make("ul", {}, seen.advice.map((words) => make("li", {}, words))) : make("p", { class: "good" }, icon("check"), "Good: there is nothing to change.")];
}

async function probe() {
  const { address, transport } = asked();
  if (!form.reportValidity()) return;
  fill(find("#add-told"), make("p", { class: "soft" }, "Looking at it; this takes up to 12 seconds …"));
  find("#add-probe").disabled = true;
  try { fill(find("#add-told"), facts(await post("cameras/probe", { address, transport }))); } catch (error) {
    fill(find("#add-told"), make("p", { class: "notice bad" }, error.words ?? error.message));
  }
  find("#add-probe").disabled = false;
}

async function add(event) {
  if (event.submitter?.value !== "add") return;
  event.preventDefault();
  try {
    const made = await post("cameras", asked());
    dialog.close();
    form.reset();
    toast(`${made.camera} is added; the watcher starts anew with it`, { undo: () => remove(`cameras/${made.camera}`).then(() => location.reload(), tell) });
    setTimeout(() => location.reload(), 4000);
  } catch (error) { tell(error); fill(find("#add-told"), make("p", { class: "notice bad" }, error.words ?? error.message)); }
}

async function discover() {
  const place = find("#add-found");
  fill(place, make("p", { class: "soft" }, "Asking the network; 3 seconds …"));
  try {
    const { items } = await post("cameras/discover");
    fill(place, items.length
      ? make("ul", { class: "shapes" }, items.map((found) => make("li", {}, make("span", {}, make("b", {}, found.address), ` ${found.name ?? ""}`),
        make("button", { type: "button", onclick: () => { find("#add-address").value = `rtsp://${found.address}/`; find("#add-address").focus(); } }, "Take it"))))
      : make("p", { class: "soft" }, "No camera answered. Those in other networks, or with ONVIF turned off, do not: give their address."));
  } catch (error) { fill(place, make("p", { class: "notice bad" }, error.words ?? error.message)); }
}

find("#add-open")?.addEventListener("click", () => { dialog.showModal(); find("#add-name").focus(); });
find("#add-probe")?.addEventListener("click", probe);
find("#add-discover")?.addEventListener("click", discover);
form?.addEventListener("submit", add);
for (const button of findAll("[data-remove]")) {
  button.addEventListener("click", async () => {
    try {
      await remove(`cameras/${button.dataset.remove}`);
      location.reload();
    } catch (error) { tell(error); }
  });
}
