// Where somebody was in the picture, from rows that were remembered.

const SLACK_US = 60_000;

// The box [x0, y0, x1, y1] at a moment, of rows [time, x0, y0, x1, y1], oldest first. Between two rows
// it goes straight; before the first and after the last there is none.
export function boxAt(rows, at_us) {
  if (!rows.length || at_us < rows[0][0] - SLACK_US || at_us > rows[rows.length - 1][0] + SLACK_US) return null;
  let low = 0;
  let high = rows.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] <= at_us) low = middle; else high = middle;
  }
  const [before, after] = [rows[low], rows[high]];
  const share = after[0] > before[0] ? Math.min(1, Math.max(0, (at_us - before[0]) / (after[0] - before[0]))) : 0;
  return [1, 2, 3, 4].map((side) => before[side] + share * (after[side] - before[side]));
}
