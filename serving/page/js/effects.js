// Effects: what a scenario does to the balance of every region, and where those are who no longer come to a city.

import { interval, signed, whole } from "./format.js";
import { striped } from "./plotly.js";
import { colours } from "./theme.js";
import { regionName, shortName, t } from "./words.js";

const SHOWN = 12;
const LEVELS = { 0.1: "column.low", 0.5: "column.median", 0.9: "column.high" };
const levels = ["0.1", "0.5", "0.9"];

export function drawEffects(data, regions, year, chart) {
  const c = colours();
  const middle = (one) => one.net_migration.difference["0.5"];
  const sorted = [...regions].sort((a, b) => Math.abs(middle(b)) - Math.abs(middle(a)));
  const shown = sorted.slice(0, SHOWN).sort((a, b) => middle(a) - middle(b));
  const traces = [[c["gain-2"], shown.filter((one) => middle(one) >= 0)], [c["loss-2"], shown.filter((one) => middle(one) < 0)]].map(([tint, rows]) => bars(data, rows, tint, c));
  chart.show({
    title: t("scenario.effects", { year }), note: t("scenario.assumed"), unit: t("unit.persons"), about: [year], traces, height: 46 + 26 * shown.length,
    layout: { barmode: "overlay", bargap: 0.35, xaxis: { tickformat: ",.0f" }, yaxis: { categoryorder: "array", categoryarray: shown.map((one) => shortName(data.byCode.get(one.region), data.regions)) } },
    columns: [{ name: "region", label: t("column.region") }, { name: "year", label: t("column.year") }, ...levels.map((level) => ({ name: `difference_net_${level}`, label: `${t("scenario.net")}, ${t(LEVELS[level])}`, write: signed })), { name: "stays_0.5", label: t("scenario.stays"), write: signed }, { name: "difference_inflow_0.5", label: t("scenario.inflow"), write: signed }],
    rows: sorted.map((one) => [regionName(data.byCode.get(one.region)), year, ...levels.map((level) => one.net_migration.difference[level]), one.stays["0.5"], one.inflow.difference["0.5"]]),
  });
}

function bars(data, rows, tint, c) {
  const [low, median, high] = levels.map((level) => rows.map((one) => one.net_migration.difference[level]));
  const error = { type: "data", symmetric: false, array: high.map((one, place) => one - median[place]), arrayminus: low.map((one, place) => median[place] - one), color: c.soft, thickness: 1.4, width: 3 };
  return {
    type: "bar", orientation: "h", y: rows.map((one) => shortName(data.byCode.get(one.region), data.regions)), x: median, error_x: error, marker: { color: tint, pattern: striped(c) },
    text: rows.map((_, place) => `${signed(median[place])}, ${interval(low[place], high[place], signed)}`), textposition: "none", hovertemplate: "%{y}: %{text}<extra></extra>",
  };
}

// Whether there is anyone.
export function drawDiverted(data, rows, city, year, chart) {
  const c = colours();
  const here = rows.filter((one) => one.year === year && one.persons >= 1);
  const sum = (code) => here.filter((one) => one.origin === code).reduce((all, one) => all + one.persons, 0);
  const origins = [...new Set(here.map((one) => one.origin))].sort((a, b) => sum(b) - sum(a)).slice(0, SHOWN).reverse();
  const label = (code) => (code === "stays" ? t("diverted.stays") : shortName(data.byCode.get(code), data.regions));
  const totals = [...new Set(here.map((one) => one.instead))].sort((a, b) => (b === "stays") - (a === "stays"));
  const tints = [c["series-1"], c["series-2"], c["series-3"], c["series-4"], c.faint];
  const of = (origin, instead) => here.find((one) => one.origin === origin && one.instead === instead)?.persons ?? 0;
  const traces = totals.map((instead, place) => ({ type: "bar", orientation: "h", name: instead === "stays" ? label(instead) : t("diverted.to", { region: label(instead) }), y: origins.map(label), x: origins.map((one) => of(one, instead)), marker: { color: tints[Math.min(place, 4)], pattern: striped(c) }, hovertemplate: "%{y}: %{x:,.0f}<extra>%{fullData.name}</extra>" }));
  chart.show({
    title: t("diverted.title", { city: regionName(data.byCode.get(city)), year }), note: t("diverted.note"), unit: t("unit.persons"), about: [city, year], traces, height: 46 + 26 * origins.length, layout: { barmode: "stack", bargap: 0.35, xaxis: { tickformat: ",.0f" } },
    columns: [{ name: "origin", label: t("column.origin") }, { name: "instead", label: t("column.instead") }, { name: "year", label: t("column.year") }, { name: "persons", label: t("column.persons"), write: whole }],
    rows: here.map((one) => [regionName(data.byCode.get(one.origin)), label(one.instead), one.year, one.persons]),
  });
  return here.length > 0;
}
