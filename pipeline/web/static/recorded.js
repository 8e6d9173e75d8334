// What a recording that nobody watches now shows: the middle of its newest visit.

import { BASE, get, query } from "./api.js";
import { boxAt } from "./tracks.js";

const NEAR_US = 1_000_000;

// {modality, captured_at_us, address, tracks} of a camera's newest visit, null: nobody was seen.
export async function newestOf(camera) {
  const { items: [visit] } = await get(query("sightings", { camera, limit: 1 }));
  if (!visit) return null;
  const at_us = Math.round((visit.first_seen_us + visit.last_seen_us) / 2);
  const { items } = await get(query("/replay/boxes", { from: at_us - NEAR_US, to: at_us + NEAR_US }));
  return {
    modality: visit.modality, captured_at_us: at_us, boxes: [], tracks: items.filter((each) => each.camera === camera),
    address: `${BASE}/cameras/${camera}/recordings/picture?at=${at_us}`,
  };
}

// Stored rows are in pixels.
export const boxesAt = (tracks, at_us, { width, height }) => tracks.flatMap(({ person, candidate, probability, rows }) => {
  const box = boxAt(rows, at_us);
  return box ? [{ xyxy: box.map((side, n) => side / (n % 2 ? height : width)), person, candidate, probability }] : [];
});
