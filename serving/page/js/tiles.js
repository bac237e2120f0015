// Tiles: one cell of a grid for each region, so that together they move as little as can be from where they lie.

// Positions [column, row] by region, on a grid of about columns × rows cells.
export function tilesOf(regions, columns) {
  const places = spread(regions);
  const rows = Math.max(Math.ceil((regions.length * 1.3) / columns), Math.ceil(regions.length / columns));
  const cells = Array.from({ length: columns * rows }, (_, at) => [at % columns, Math.floor(at / columns)]);
  const cost = places.map(([x, y]) => cells.map(([column, row]) => (x * (columns - 1) - column) ** 2 + (y * (rows - 1) - row) ** 2));
  const chosen = assignment(cost);
  return trimmed(new Map(regions.map((region, place) => [region.region, cells[chosen[place]]])));
}

// Longitude and latitude as 0 to 1, half by value and half by rank: clusters open, the shape stays.
function spread(regions) {
  const x = half(regions.map((one) => one.longitude));
  const y = half(regions.map((one) => -one.latitude));
  return regions.map((_, place) => [x[place], y[place]]);
}

function half(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const span = sorted.at(-1) - sorted[0] || 1;
  const last = Math.max(values.length - 1, 1);
  const rank = (value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 / last;
  return values.map((value) => 0.5 * ((value - sorted[0]) / span) + 0.5 * rank(value));
}

// Without empty columns and rows.
function trimmed(cells) {
  const used = (end) => [...new Set([...cells.values()].map((cell) => cell[end]))].sort((a, b) => a - b);
  const [columns, rows] = [used(0), used(1)];
  return new Map([...cells].map(([region, [column, row]]) => [region, [columns.indexOf(column), rows.indexOf(row)]]));
}

// The cheapest column for each row; no more rows than columns (Kuhn 1955, with potentials: Jonker & Volgenant 1987).
export function assignment(cost) {
  const [rows, columns] = [cost.length, cost[0].length];
  const [u, v] = [new Float64Array(rows + 1), new Float64Array(columns + 1)];
  const owner = new Int32Array(columns + 1);
  const way = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Infinity);
    const used = new Uint8Array(columns + 1);
    owner[0] = row;
    let at = 0;
    do {
      used[at] = 1;
      let [next, step] = [0, Infinity];
      for (let column = 1; column <= columns; column++) {
        if (used[column]) continue;
        const reduced = cost[owner[at] - 1][column - 1] - u[owner[at]] - v[column];
        if (reduced < least[column]) [least[column], way[column]] = [reduced, at];
        if (least[column] < step) [step, next] = [least[column], column];
      }
      for (let column = 0; column <= columns; column++) {
        if (used[column]) (u[owner[column]] += step), (v[column] -= step);
        else least[column] -= step;
      }
      at = next;
    } while (owner[at] !== 0);
    for (; at; at = way[at]) owner[at] = owner[way[at]];
  }
  const chosen = new Array(rows);
  for (let column = 1; column <= columns; column++) if (owner[column]) chosen[owner[column] - 1] = column - 1;
  return chosen;
}
