// What a recording that nobody watches now shows: the middle of its newest visit.

import { BASE, get, query } from "./api.js";

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

// Stored rows are thinned, in pixels: the moment is between two of them.
export const boxesAt = (tracks, at_us, { width, height }) => tracks.flatMap(({ person, candidate, probability, rows }) => {
  const after = rows.find((row) => row[0] >= at_us);
  const before = rows.findLast((row) => row[0] <= at_us);
  if (!after || !before) return [];
  const share = after[0] === before[0] ? 0 : (at_us - before[0]) / (after[0] - before[0]);
  const xyxy = before.slice(1).map((from, n) => (from + share * (after[n + 1] - from)) / (n % 2 ? height : width));
  return [{ xyxy, person, candidate, probability }];
});
