// Map: each region one tile of the same size, or a bubble where it lies, coloured by what is looked at.

import { fill, sourceLine } from "./chart.js";
import { $, h, s } from "./dom.js";
import { inUnit, valueAt } from "./data.js";
import { saveCsv, savePng } from "./export.js";
import { amount, interval, signed, whole } from "./format.js";
import { get, on, set } from "./state.js";
import { colours, ink, scale } from "./theme.js";
import { tilesOf } from "./tiles.js";
import { regionName, shortName, t } from "./words.js";

const [SIZE, GAP] = [100, 7];
const NARROW = 560;
const MOST_TILES = 150;
const MOST_LETTERS = 11;

export function mountMap(data) {
  const host = $("#map-host");
  const draw = () => drawMap(data, host);
  on(["target", "unit", "year", "region", "view", "lang", "theme"], draw);
  let narrow = host.clientWidth < NARROW;
  new ResizeObserver(() => {
    if (host.clientWidth < NARROW !== narrow) (narrow = !narrow), draw();
  }).observe(host);
  $("#map-csv").addEventListener("click", () => saveCsv("qonys-map", told(data).columns, told(data).rows));
  $("#map-png").addEventListener("click", () => {
    const c = colours();
    savePng("qonys-map", $("svg", host), { title: title(), source: sourceLine(), ground: c.surface, text: c.text });
  });
  draw();
}

const title = () => t("map.title", { target: t(`target.${get("target")}`), year: get("year"), unit: t(`unit.${get("unit")}`) });

// What the colours end at: all but the largest 4 % of values of all years are inside, so that colours mean the same in every year.
export function reach(data, target, unit) {
  const all = [];
  for (let year = data.firstYear; year <= data.lastYear; year++)
    for (const { region } of data.regions) all.push(Math.abs(inUnit(valueAt(data, region, target, year), unit).value ?? 0));
  all.sort((a, b) => a - b);
  return all[Math.floor(0.96 * all.length)] || 1;
}

function drawMap(data, host) {
  const c = colours();
  const [target, unit, year] = [get("target"), get("unit"), Number(get("year"))];
  const most = reach(data, target, unit);
  const shown = data.regions.map((region) => {
    const value = valueAt(data, region.region, target, year);
    const { value: number } = inUnit(value, unit);
    const fillColour = number === null ? c.page : scale(target, number / most, c);
    return { region, value, number, colour: fillColour, label: label(data, region, value, target, unit) };
  });
  const tiles = get("view") === "tiles" && data.regions.length <= MOST_TILES;
  const focused = host.contains(document.activeElement);
  host.replaceChildren(tiles ? tileMap(data, shown, c, host.clientWidth < NARROW) : placeMap(data, shown, c));
  if (focused) $("[tabindex='0']", host)?.focus();
  $("#map-title").textContent = title();
  legend(target, unit, most, c);
  fill($("#map-table"), told(data));
}

function label(data, region, value, target, unit) {
  const { value: number, low, high } = inUnit(value, unit);
  const put = { region: regionName(region), value: amount(number, unit, target), unit: t(`unit.${unit}`) };
  if (value.kind === "none" || number === null) return value.former ? t("tile.former.persons", { ...put, former: regionName(data.byCode.get(value.former)) }) : t("tile.none", put);
  if (value.kind === "former") return t("tile.former", { ...put, former: regionName(data.byCode.get(value.former)) });
  const sure = low === null ? "" : " " + interval(low, high, (one) => amount(one, unit, target));
  return `${t("tile.label", put)}${sure}; ${t(`basis.${value.basis}`)}`;
}

const unsure = ({ value }) => value.kind === "former" || value.basis === "estimated";

function frame(width, height, c, marks) {
  const hatch = s("pattern", { id: "hatch", width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    s("rect", { width: 1.6, height: 9, fill: c.text, "fill-opacity": 0.17 }));
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "radiogroup", "aria-label": t("map.regions"), "font-family": "system-ui, sans-serif" }, s("defs", {}, hatch), marks);
  svg.addEventListener("keydown", steps);
  return svg;
}

// One region as something to choose: by mouse, or by Enter and Space; arrows go to the next region that way.
function choice(one, at, shapes) {
  const chosen = get("region") === one.region.region;
  const mark = s("g", { role: "radio", tabindex: chosen ? 0 : -1, "aria-checked": chosen, "aria-label": one.label, "data-region": one.region.region, "data-x": at[0], "data-y": at[1], class: "tile" },
    s("title", {}, one.label), shapes);
  mark.addEventListener("click", () => set({ region: one.region.region }));
  return mark;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function steps(event) {
  const here = event.target.closest("[data-region]");
  if (!here) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    set({ region: here.dataset.region });
  }
  const way = ARROWS[event.key];
  if (!way) return;
  event.preventDefault();
  const next = nearest(here, [...this.querySelectorAll("[data-region]")], way);
  if (next) set({ region: next.dataset.region });
}

function nearest(here, all, [dx, dy]) {
  const away = (one) => {
    const [x, y] = [one.dataset.x - here.dataset.x, one.dataset.y - here.dataset.y];
    const [along, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
    return along > 0 ? along + 2 * aside : Infinity;
  };
  const next = all.reduce((best, one) => (away(one) < away(best) ? one : best), here);
  return next === here ? null : next;
}

function tileMap(data, shown, c, narrow) {
  const columns = narrow ? 5 : Math.max(2, Math.round(Math.sqrt(data.regions.length * 2.4)));
  const cells = tilesOf(data.regions, columns);
  const [last, bottom] = [0, 1].map((end) => Math.max(...[...cells.values()].map((cell) => cell[end])));
  const [step, order] = [SIZE + GAP, (a, b) => b[1] - a[1]];
  const sorted = [...shown].sort((a, b) => -order(cells.get(a.region.region), cells.get(b.region.region)));
  const marks = sorted.map((one) => {
    const at = cells.get(one.region.region);
    return choice(one, at, tile(data, one, at.map((end) => end * step + 4), c));
  });
  return frame((last + 1) * step, (bottom + 1) * step, c, marks);
}

function tile(data, one, [x, y], c) {
  const city = one.region.kind === "city";
  const chosen = get("region") === one.region.region;
  const box = { x, y, width: SIZE, height: SIZE, rx: city ? 30 : 8 };
  const edge = { stroke: chosen ? c.accent : unsure(one) ? c.soft : c.line, "stroke-width": chosen ? 5 : 1.2, "stroke-dasharray": unsure(one) && !chosen ? "5 4" : null };
  const colour = one.number === null ? c.soft : ink(one.colour);
  const lines = folded(shortName(one.region, data.regions));
  const size = Math.min(16, 168 / Math.max(...lines.map((line) => line.length)));
  const words = (text, dy, size, weight) => s("text", { x: x + SIZE / 2, y: y + dy, "text-anchor": "middle", "font-size": size, "font-weight": weight, fill: colour }, text);
  return [
    s("rect", { ...box, fill: one.colour, ...edge }),
    unsure(one) ? s("rect", { ...box, fill: "url(#hatch)" }) : null,
    ...lines.map((line, place) => words(line, (lines.length > 1 ? 25 : 34) + place * 17, size, city ? 700 : 500)),
    words(one.number === null ? "–" : amount(one.number, get("unit"), get("target")), 73, 21, 700),
    city ? s("circle", { cx: x + SIZE / 2, cy: y + 88, r: 3.2, fill: colour }) : null,
  ];
}

// A name in at most two lines.
function folded(name) {
  if (name.length <= MOST_LETTERS) return [name];
  const at = [...name.matchAll(/[\s-]/g)].map((found) => found.index).find((place) => place > 2);
  return at ? [name.slice(0, name[at] === "-" ? at + 1 : at), name.slice(at + 1)] : [name];
}

function placeMap(data, shown, c) {
  const [width, edge] = [760, 84];
  const shrink = Math.cos((mean(data.regions.map((one) => one.latitude)) * Math.PI) / 180);
  const [xs, ys] = [data.regions.map((one) => one.longitude * shrink), data.regions.map((one) => -one.latitude)];
  const scaled = (width - 2 * edge) / (Math.max(...xs) - Math.min(...xs) || 1);
  const at = (one) => [(one.longitude * shrink - Math.min(...xs)) * scaled + edge, (-one.latitude - Math.min(...ys)) * scaled + edge];
  const height = (Math.max(...ys) - Math.min(...ys)) * scaled + 2 * edge;
  const largest = Math.max(...shown.map((one) => Math.abs(one.value.persons ?? 0)), 1);
  const radius = (one) => 5 + 38 * Math.sqrt(Math.abs(one.value.persons ?? 0) / largest);
  const sorted = [...shown].sort((a, b) => radius(b) - radius(a));
  const marks = sorted.map((one) => choice(one, at(one.region), bubble(one, at(one.region), radius(one), c)));
  const told = sorted.filter((one) => one.region.kind === "city" || radius(one) > 12 || one.region.region === get("region"));
  return frame(width, height, c, [...marks, ...told.map((one) => bubbleName(data, one, at(one.region), radius(one), c))]);
}

const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

function bubble(one, [cx, cy], r, c) {
  const chosen = get("region") === one.region.region;
  const edge = { stroke: chosen ? c.accent : c.soft, "stroke-width": chosen ? 4 : 1, "stroke-dasharray": unsure(one) && !chosen ? "4 3" : null };
  return [s("circle", { cx, cy, r, fill: one.colour, "fill-opacity": 0.9, ...edge }), unsure(one) ? s("circle", { cx, cy, r, fill: "url(#hatch)" }) : null];
}

// Above all bubbles, with an edge of the ground's colour.
function bubbleName(data, one, [x, y], r, c) {
  const halo = { stroke: c.surface, "stroke-width": 4, "paint-order": "stroke", "pointer-events": "none", "aria-hidden": "true" };
  const weight = one.region.kind === "city" ? 700 : 400;
  return s("text", { x, y: y + r + 14, "text-anchor": "middle", "font-size": 13, "font-weight": weight, fill: c.text, ...halo }, shortName(one.region, data.regions));
}

function legend(target, unit, most, c) {
  const low = target === "net_migration" ? -1 : 0;
  const steps = Array.from({ length: 9 }, (_, place) => low + ((1 - low) * place) / 8);
  const swatches = s("svg", { viewBox: "0 0 180 12", width: 180, height: 12, "aria-hidden": "true" }, steps.map((part, place) => s("rect", { x: place * 20, width: 20, height: 12, fill: scale(target, part, c) })));
  const end = (part) => h("span", {}, (Math.abs(part) === 1 ? (part < 0 ? "≤ " : "≥ ") : "") + (target === "net_migration" ? signed : whole)(part * round(most)));
  $("#legend").replaceChildren(end(low), swatches, end(1), h("span", { class: "key hatched" }, t("legend.estimated")), h("span", { class: "key round" }, t("legend.city")));
}

const round = (value) => (value > 1000 ? Math.round(value / 100) * 100 : Math.round(value));

function told(data) {
  const [target, unit, year] = [get("target"), get("unit"), Number(get("year"))];
  const write = (value) => amount(value, "persons", target);
  const columns = [
    { name: "region", label: t("column.region") }, { name: "name", label: t("column.name") }, { name: "year", label: t("column.year") },
    { name: "persons", label: t("column.persons"), write }, { name: "lower_80", label: t("column.low"), write }, { name: "upper_80", label: t("column.high"), write },
    { name: "rate_per_1000", label: t("column.rate"), write: (value) => amount(value, "rate", target) },
    { name: "kind", label: t("column.kind") }, { name: "basis", label: t("column.basis") },
  ];
  const rows = data.regions.map((region) => {
    const one = valueAt(data, region.region, target, year);
    const rate = one.rate === null ? null : Math.round(100 * one.rate) / 100;
    return [region.region, regionName(region), year, one.persons, one.low, one.high, rate, t(`kind.${one.kind}`), one.basis && t(`basis.${one.basis}`)];
  });
  return { title: title(), columns, rows };
}
