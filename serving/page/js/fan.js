// Fan: a region's past and its forecast, as a line that opens into intervals.

import { Chart } from "./chart.js";
import { $ } from "./dom.js";
import { formerly, inUnit, populationAt, valueAt } from "./data.js";
import { amount, percent } from "./format.js";
import { get, on } from "./state.js";
import { colours, faded } from "./theme.js";
import { regionName, t } from "./words.js";

const BANDS = [["0.05", "0.95", 0.14], ["0.1", "0.9", 0.2], ["0.25", "0.75", 0.3]];

export function mountFan(data) {
  const chart = new Chart($("#fan"), "region");
  const draw = () => fan(data, data.byCode.get(get("region")), chart);
  on(["region", "target", "unit", "lang", "theme"], draw);
  draw();
}

function fan(data, region, chart) {
  const [target, unit, c] = [get("target"), get("unit"), colours()];
  const write = (value) => amount(value, unit, target);
  const past = pastOf(data, region, target, unit);
  const ahead = aheadOf(data, region, target, unit);
  const own = withGaps(past.filter((one) => one.kind !== "former"));
  const guessed = own.some((one) => one.kind === "estimated");
  const line = (rows, name, style) => ({ x: rows.map((one) => one.year), y: rows.map((one) => one.value), name, mode: "lines+markers", marker: { size: 5 }, hovertemplate: "%{x}: %{text}<extra></extra>", text: rows.map((one) => write(one.value)), ...style });
  const traces = [
    ...former(past, c, line),
    ...estimates(own, c),
    ...bands(own.at(-1), ahead, c),
    line(own, t(guessed ? "fan.estimated" : "fan.recorded"), { line: { color: c.text, width: 2, dash: guessed ? "dash" : "solid" }, marker: { size: 4, color: c.text, symbol: own.map((one) => (one.kind === "estimated" ? "circle-open" : "circle")) } }),
    line([...own.slice(-1), ...ahead], t("fan.forecast"), { line: { color: c.accent, width: 2.5, dash: "dot" }, marker: { size: 7, symbol: "circle-open", color: c.accent } }),
  ];
  const shapes = [{ type: "line", x0: data.cutoff + 0.5, x1: data.cutoff + 0.5, yref: "paper", y0: 0, y1: 1, line: { color: c.faint, width: 1, dash: "dot" } }];
  const from = formerly(data, region.region, data.firstYear);
  chart.show({
    title: t("fan.title", { target: t(`target.${target}`), region: regionName(region), unit: t(`unit.${unit}`) }),
    note: [t(`scope.${data.scopes[target]}`), from ? t("fan.former", { former: regionName(data.byCode.get(from)) }) : ""].join(" "),
    unit: t(`unit.${unit}`), about: [region.region, target],
    traces, height: 320, layout: { shapes, xaxis: { nticks: 9, tickformat: "d" }, yaxis: { zeroline: true, tickformat: unit === "persons" ? ",.0f" : "" } }, ...table(past, ahead, write),
  });
}

// A year of which nothing is known breaks the line.
function withGaps(rows) {
  const known = new Map(rows.map((one) => [one.year, one]));
  const first = rows[0]?.year;
  return Array.from({ length: rows.length ? rows.at(-1).year - first + 1 : 0 }, (_, place) => known.get(first + place) ?? { year: first + place, value: null, low: null, high: null });
}

function pastOf(data, region, target, unit) {
  const rows = [];
  for (let year = data.firstYear; year <= data.cutoff; year++) {
    const value = valueAt(data, region.region, target, year);
    const told = inUnit(value, unit);
    if (told.value !== null) rows.push({ year, ...told, kind: value.kind, basis: value.basis });
  }
  return rows;
}

function aheadOf(data, region, target, unit) {
  return data.model.horizons.map((horizon) => {
    const year = data.cutoff + horizon;
    const { forecast, basis } = valueAt(data, region.region, target, year);
    if (!forecast) return null;
    const inhabitants = populationAt(data, region.region, year);
    const scaled = (persons) => (unit === "rate" ? (1000 * persons) / inhabitants : persons);
    const quantiles = Object.fromEntries(Object.entries(forecast.quantiles).map(([level, persons]) => [level, scaled(persons)]));
    return { year, value: quantiles["0.5"], low: quantiles["0.1"], high: quantiles["0.9"], quantiles, kind: "forecast", basis };
  }).filter(Boolean);
}

function former(past, c, line) {
  const rows = past.filter((one) => one.kind === "former");
  return rows.length ? [line(rows, t("fan.former.line"), { line: { color: c.faint, width: 1.5, dash: "dash" }, marker: { size: 4, color: c.faint, symbol: "circle-open" } })] : [];
}

const band = (x, low, high, name, colour) => [
  { x, y: low, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
  { x, y: high, mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: colour, name, hoverinfo: "skip" },
];

function estimates(past, c) {
  const rows = past.filter((one) => one.low !== null);
  return rows.length ? band(rows.map((one) => one.year), rows.map((one) => one.low), rows.map((one) => one.high), t("fan.estimate.band"), faded(c.soft, 0.22)) : [];
}

// From the last recorded value, which is known, the bands open.
function bands(last, ahead, c) {
  const start = last && last.low === null ? [last] : [];
  const x = [...start, ...ahead].map((one) => one.year);
  const at = (level) => [...start.map((one) => one.value), ...ahead.map((one) => one.quantiles[level])];
  return BANDS.flatMap(([low, high, alpha]) => band(x, at(low), at(high), t("fan.band", { share: percent(Number(high) - Number(low)) }), faded(c.accent, alpha)));
}

function table(past, ahead, write) {
  const columns = [
    { name: "year", label: t("column.year") }, { name: "value", label: t("column.value"), write }, { name: "lower_80", label: t("column.low"), write },
    { name: "upper_80", label: t("column.high"), write }, { name: "kind", label: t("column.kind") }, { name: "basis", label: t("column.basis") },
  ];
  const round = (value) => (value === null ? null : Math.round(100 * value) / 100);
  const rows = [...past, ...ahead].map((one) => [one.year, round(one.value), round(one.low), round(one.high), t(`kind.${one.kind}`), t(`basis.${one.basis}`)]);
  return { columns, rows };
}
