// Tile map: every region as large as any other, so that cities are seen.

import { s } from "./dom.js";
import { amount } from "./format.js";
import { choice } from "./marks.js";
import { folded } from "./names.js";
import { get } from "./state.js";
import { ink } from "./theme.js";
import { tilesOf } from "./tiles.js";
import { shortName } from "./words.js";

const [SIZE, GAP] = [100, 7];
// Few columns are those of a phone, on which letters must be larger.
const FEW_COLUMNS = 5;
const SMALL = { letters: 10, name: 16, line: 17, number: 22 };
const LARGE = { letters: 8, name: 19, line: 19, number: 25 };

export function tileMap(data, shown, c, columns) {
  const cells = tilesOf(data.regions, columns);
  const [last, bottom] = [0, 1].map((end) => Math.max(...[...cells.values()].map((cell) => cell[end])));
  const step = SIZE + GAP;
  const sorted = [...shown].sort((a, b) => cells.get(a.region.region)[1] - cells.get(b.region.region)[1]);
  const marks = sorted.map((one) => {
    const at = cells.get(one.region.region);
    return choice(one, at, tile(data, one, at.map((end) => end * step + 4), c, columns <= FEW_COLUMNS ? LARGE : SMALL));
  });
  return { width: (last + 1) * step + 1, height: (bottom + 1) * step + 1, marks };
}

function tile(data, one, [x, y], c, sizes) {
  const city = one.region.kind === "city";
  const chosen = get("region") === one.region.region;
  const box = { x, y, width: SIZE, height: SIZE, rx: city ? 30 : 8 };
  const edge = { stroke: chosen ? c.text : one.unsure ? c.soft : c.line, "stroke-width": chosen ? 4 : 1.2, "stroke-dasharray": one.unsure && !chosen ? "5 4" : null };
  const colour = one.number === null ? c.soft : ink(one.colour);
  const lines = folded(shortName(one.region, data.regions), sizes.letters);
  const longest = Math.max(...lines.map((line) => line.length));
  const size = Math.min(sizes.name, (city ? 122 : 138) / longest);
  const top = 36 - (lines.length - 1) * (sizes.line / 2);
  const words = (text, dy, size, weight) => s("text", { x: x + SIZE / 2, y: y + dy, "text-anchor": "middle", "font-size": size, "font-weight": weight, fill: colour }, text);
  return [
    s("rect", { ...box, fill: one.colour, ...edge }),
    one.unsure ? s("rect", { ...box, fill: "url(#hatch)" }) : null,
    ...lines.map((line, place) => words(line, top + place * sizes.line, size, city ? 700 : 500)),
    words(one.number === null ? "–" : amount(one.number, get("unit"), get("target")), lines.length > 2 ? 86 : 78, number(one, sizes), 700),
  ];
}

// Persons of large regions are longer than rates.
function number(one, sizes) {
  const text = one.number === null ? "–" : amount(one.number, get("unit"), get("target"));
  return Math.min(sizes.number, 158 / text.length);
}
