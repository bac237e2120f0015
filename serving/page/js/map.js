// Map: each region one tile of the same size, or a bubble where it lies, coloured by what is looked at.

import { fill, sourceOf } from "./chart.js";
import { $, h, s } from "./dom.js";
import { inUnit, valueAt } from "./data.js";
import { saveCsv, savePng } from "./export.js";
import { amount, interval, signed, whole } from "./format.js";
import { frame } from "./marks.js";
import { placeMap } from "./places.js";
import { get, on, set } from "./state.js";
import { colours, scale } from "./theme.js";
import { tileMap } from "./tilemap.js";
import { regionName, t } from "./words.js";
import { kindOf } from "./years.js";

const NARROW = 460;
const MOST_TILES = 150;

export function mountMap(data) {
  const host = $("#map-host");
  const draw = () => drawMap(data, host);
  on(["target", "unit", "year", "region", "view", "lang", "theme"], draw);
  let narrow = host.clientWidth < NARROW;
  new ResizeObserver(() => {
    if (host.clientWidth < NARROW !== narrow) (narrow = !narrow), draw();
  }).observe(host);
  $("#map-csv").addEventListener("click", () => {
    const { columns, rows } = told(data);
    saveCsv(file(), columns, rows, { unit: t("unit.persons"), title: title(data), source: sourceOf("whole") });
  });
  $("#map-png").addEventListener("click", () => {
    const c = colours();
    const keys = [...document.querySelectorAll("#legend .key")].map((one) => one.textContent);
    savePng(file(), $("svg", host), { title: title(data), lines: [keys.join("; "), sourceOf("short")], ground: c.surface, text: c.text });
  });
  draw();
}

const file = () => `qonys-map-${get("target")}-${get("year")}`;
const title = (data) => t("map.title", { target: t(`target.${get("target")}`), year: get("year"), kind: kindOf(data, Number(get("year"))), unit: t(`unit.${get("unit")}`) });

// What the colours end at: all but the largest 4 % of values of all years are inside, so that colours mean the same in every year.
const reaches = new Map();
function reach(data, target, unit) {
  const key = `${target} ${unit}`;
  if (!reaches.has(key)) {
    const all = [];
    for (let year = data.firstYear; year <= data.lastYear; year++)
      for (const { region } of data.regions) all.push(Math.abs(inUnit(valueAt(data, region, target, year), unit).value ?? 0));
    all.sort((a, b) => a - b);
    reaches.set(key, all[Math.floor(0.96 * all.length)] || 1);
  }
  return reaches.get(key);
}

function drawMap(data, host) {
  const c = colours();
  const [target, unit, year] = [get("target"), get("unit"), Number(get("year"))];
  const most = reach(data, target, unit);
  const shown = data.regions.map((region) => {
    const value = valueAt(data, region.region, target, year);
    const { value: number } = inUnit(value, unit);
    const colour = number === null ? c.page : scale(target, number / most, c);
    return { region, value, number, colour, unsure: value.kind === "former" || value.basis === "estimated", label: label(data, region, value, target, unit) };
  });
  const focused = host.contains(document.activeElement);
  const tiles = get("view") === "tiles" && data.regions.length <= MOST_TILES;
  const drawn = tiles ? tileMap(data, shown, c, columnsOf(data, host.clientWidth)) : placeMap(data, shown, c, host.clientWidth < NARROW);
  host.replaceChildren(frame(drawn, c));
  if (focused) $("[tabindex='0']", host)?.focus();
  $("#map-title").textContent = title(data);
  $("#map-source").textContent = sourceOf("short");
  chosen(shown, focused);
  legend(target, unit, most, c);
  fill($("#map-table"), told(data));
}

function columnsOf(data, width) {
  if (width < NARROW) return width < 280 ? 4 : 5;
  return Math.max(2, Math.round(Math.sqrt(data.regions.length * 2.4)));
}

// The region that is chosen, in words below the map: at a phone its panel is out of sight. Who is on the map hears it there.
function chosen(shown, focused) {
  const line = $("#map-chosen");
  line.setAttribute("aria-live", focused ? "off" : "polite");
  line.textContent = `${get("year")} · ${shown.find((one) => one.region.region === get("region"))?.label ?? ""}`;
}

function label(data, region, value, target, unit) {
  const { value: number, low, high } = inUnit(value, unit);
  const put = { region: regionName(region), value: amount(number, unit, target), unit: t(`unit.${unit}`) };
  if (value.kind === "none" || number === null) return value.former ? t("tile.former.persons", { ...put, former: regionName(data.byCode.get(value.former)) }) : t("tile.none", put);
  if (value.kind === "former") return t("tile.former", { ...put, former: regionName(data.byCode.get(value.former)) });
  const sure = low === null ? "" : " " + interval(low, high, (one) => amount(one, unit, target));
  const kind = value.kind === "forecast" ? t(`continues.${value.basis}`) : t(`basis.${value.basis}`);
  return `${t("tile.label", put)}${sure}; ${kind}`;
}

function legend(target, unit, most, c) {
  const low = target === "net_migration" ? -1 : 0;
  const steps = Array.from({ length: 9 }, (_, place) => low + ((1 - low) * place) / 8);
  const swatches = s("svg", { viewBox: "0 0 180 12", width: 180, height: 12, "aria-hidden": "true" }, steps.map((part, place) => s("rect", { x: place * 20, width: 20, height: 12, fill: scale(target, part, c) })));
  const end = (part) => h("span", {}, (Math.abs(part) === 1 ? (part < 0 ? "≤ " : "≥ ") : "") + (target === "net_migration" ? signed : whole)(part * round(most)));
  const scaled = h("span", { class: "scale" }, end(low), swatches, end(1), h("span", {}, t(`unit.${unit}`)));
  $("#legend").replaceChildren(scaled, h("span", { class: "key hatched" }, t("legend.estimated")), h("span", { class: "key round" }, t("legend.city")));
}

const round = (value) => (value > 1000 ? Math.round(value / 100) * 100 : Math.round(value));

function told(data) {
  const [target, year] = [get("target"), Number(get("year"))];
  const write = (value) => amount(value, "persons", target);
  const columns = [
    { name: "region", label: t("column.region") }, { name: "name", label: t("column.name") }, { name: "target", label: t("column.target") }, { name: "year", label: t("column.year") },
    { name: "persons", label: t("column.persons"), write }, { name: "lower_80", label: t("column.low"), write }, { name: "upper_80", label: t("column.high"), write },
    { name: "rate_per_1000", label: t("column.rate"), write: (value) => amount(value, "rate", target) },
    { name: "kind", label: t("column.kind") }, { name: "basis", label: t("column.basis") },
  ];
  const rows = data.regions.map((region) => {
    const one = valueAt(data, region.region, target, year);
    const rate = one.rate === null ? null : Math.round(100 * one.rate) / 100;
    return [region.region, regionName(region), t(`target.${target}`), year, one.persons, one.low, one.high, rate, t(`kind.${one.kind}`), one.basis && t(`basis.${one.basis}`)];
  });
  return { title: title(data), columns, rows };
}
