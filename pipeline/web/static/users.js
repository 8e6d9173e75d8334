// Who may sign in, and who asked what. For administrators who see all cameras.

import { get, post, put, query } from "./api.js";
import { fill, find, icon, make } from "./dom.js";
import { table } from "./system.js";
import { when } from "./times.js";
import { tell, toast } from "./toast.js";

const ROLES = ["viewer", "operator", "admin"];
let cursor = null;

function once(given) {
  fill(find("#made-user"), make("p", {}, `The one-time password of ${given.user.name}; tell it to them, it is not shown again:`), make("code", { class: "secret" }, given.one_time_password));
}

async function change(name, what, words, back) {
  try {
    await put(`users/${encodeURIComponent(name)}`, what);
    toast(`${name} ${words}`, { undo: back ? () => change(name, back, "is as before", null) : null });
    users();
  } catch (error) {
    tell(error);
    users();
  }
}

function userRow(user) {
  const role = make("select", { "aria-label": `Role of ${user.name}`, onchange: (event) => change(user.name, { role: event.target.value }, `is ${event.target.value} now`, { role: user.role }) },
    ROLES.map((each) => make("option", { selected: each === user.role }, each)));
  const active = user.is_active
    ? make("button", { type: "button", onclick: () => change(user.name, { is_active: false }, "may not sign in any more", { is_active: true }) }, "Disable")
    : make("button", { type: "button", onclick: () => change(user.name, { is_active: true }, "may sign in again", { is_active: false }) }, "Enable");
  const password = make("button", { type: "button", onclick: () => post(`users/${encodeURIComponent(user.name)}/password`).then((given) => { once(given); users(); }, tell) }, "New password");
  return [make("b", {}, user.name), role, user.cameras === null ? "all cameras" : user.cameras.join(", ") || "none",
    user.is_active ? (user.must_change ? "has not signed in since the last password" : "active") : make("span", { class: "bad" }, "disabled"), when(user.created_at_us),
    make("div", { class: "bar" }, password, active)];
}

async function users() {
  try {
    const { items } = await get("users");
    table(find("#user-list"), ["Name", "Role", "Sees", "State", "Made", ""], items.map(userRow), "Nobody.");
  } catch (error) {
    tell(error);
  }
}

find("#new-user").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const cameras = form.getAll("cameras").filter(Boolean);
  try {
    once(await post("users", { name: form.get("name"), role: form.get("role"), cameras: cameras.length ? cameras : null }));
    event.target.reset();
    users();
  } catch (error) {
    tell(error);
  }
});

const rows = [];

function entry({ row, at_us, who, action, subject, detail }) {
  const told = Object.entries(detail).map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("; ");
  return [String(row), when(at_us), who, action, subject, make("span", { class: "mono" }, told)];
}

async function audit({ more = false } = {}) {
  const form = Object.fromEntries(new FormData(find("#audit-filters")));
  try {
    const told = await get(query("audit", { ...form, limit: 20, cursor: more ? cursor : null }));
    if (!more) rows.length = 0;
    rows.push(...told.items.map(entry));
    cursor = told.next;
    table(find("#audit-list"), ["Row", "When", "Who", "Did", "About", "More"], rows, "Nothing of this kind.");
    find("#audit-more").hidden = cursor === null;
  } catch (error) {
    tell(error);
  }
}

find("#audit-filters").addEventListener("submit", (event) => { event.preventDefault(); audit(); });
find("#audit-more").addEventListener("click", () => audit({ more: true }));
find("#verify").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  fill(find("#proof"), "Following the chain …");
  try {
    const proof = await post("audit/verify");
    fill(find("#proof"), proof.holds
      ? [make("span", { class: "good" }, icon("check"), ` The chain holds up to row ${proof.last_row}. `), "Write its end down elsewhere: ", make("span", { class: "mono" }, proof.last_hash ?? "")]
      : make("span", { class: "bad" }, icon("warn"), ` The chain is broken: ${proof.problems.map((each) => `${each.subject}: ${each.message}`).join("; ")}`));
  } catch (error) {
    fill(find("#proof"));
    tell(error);
  }
  button.disabled = false;
});
users();
audit();
