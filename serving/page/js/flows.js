// Flows: from where people come to a city, or where they go from it, in a year that is forecast.

import { ApiError, post } from "./api.js";
import { Chart } from "./chart.js";
import { $, options } from "./dom.js";
import { forecastAt } from "./data.js";
import { percent, unsure, whole } from "./format.js";
import { isNarrow, striped } from "./plotly.js";
import { section } from "./section.js";
import { get, on, set } from "./state.js";
import { colours, faded, isPrinting } from "./theme.js";
import { named, regionName, shortName, t } from "./words.js";

const SHOWN = 10;

export function mountFlows(data) {
  const chart = new Chart($("#flows-chart"), "flows");
  for (const [id, key] of [["#flow-city", "city"], ["#flow-direction", "direction"], ["#flow-year", "flowyear"], ["#flow-shape", "shape"]])
    $(id).addEventListener("change", (event) => set({ [key]: event.target.value }));
  const draw = section($("#flows-body"), "lacking.flows", () => ask(data), (told) => drawFlows(data, chart, told));
  on(["city", "direction", "flowyear", "shape", "lang", "theme"], draw);
  return draw();
}

export const citiesFirst = (data) => [...data.regions].sort((a, b) => (b.kind === "city") - (a.kind === "city"));

function chosen(data) {
  const city = data.byCode.has(get("city")) ? get("city") : citiesFirst(data)[0].region;
  const years = data.model.horizons.map((horizon) => data.cutoff + horizon);
  const year = years.includes(Number(get("flowyear"))) ? Number(get("flowyear")) : years[0];
  // Ribbons appear bit by bit, too late for a printer.
  const shape = isPrinting() ? "bars" : get("shape") || (isNarrow() ? "bars" : "sankey");
  return { city, years, year, shape, inward: get("direction") === "inflow" };
}

function controls(data, { city, years, year, shape, inward }) {
  options($("#flow-city"), citiesFirst(data).map((one) => [one.region, regionName(one)]), city);
  options($("#flow-year"), years.map((one) => [one, one]), year);
  options($("#flow-direction"), [["inflow", t("flows.in")], ["outflow", t("flows.out")]], inward ? "inflow" : "outflow");
  options($("#flow-shape"), [["sankey", t("flows.sankey")], ["bars", t("flows.bars")]], shape);
}

async function ask(data) {
  if (!data.model.flows) throw new ApiError(409, { code: "no_flows", message: "" }, true);
  const { city, year, inward } = chosen(data);
  const ends = inward ? { destinations: [city] } : { origins: [city] };
  return post("/flows", { ...ends, horizons: [year - data.cutoff] });
}

function drawFlows(data, chart, told) {
  const asked = chosen(data);
  controls(data, asked);
  const { city, year, inward, shape } = asked;
  const rows = told.flows.map((one) => ({ region: data.byCode.get(inward ? one.origin : one.destination), ...one }));
  const total = forecastAt(data, city, inward ? "inflow" : "out_migration", year)?.quantiles;
  const here = regionName(data.byCode.get(city));
  const c = colours();
  const estimated = rows.some((one) => one.basis === "estimated");
  const sum = rows.reduce((all, one) => all + one.quantiles["0.5"], 0) || 1;
  const write = (one) => unsure(whole(one.quantiles["0.5"]), one.basis);
  chart.show({
    title: t(inward ? "flows.title.in" : "flows.title.out", { region: here, year }),
    note: [total ? t("flows.total", { median: whole(total["0.5"]), low: whole(total["0.1"]), high: whole(total["0.9"]) }) : "", t("flows.model", { model: named("model", told.served[0].model) }), estimated ? t("flows.estimated") : ""].join(" "),
    unit: t("unit.persons"), about: [city, inward ? "inflow" : "outflow", year],
    ...(shape === "sankey" ? sankey(data, rows, here, inward, write, c) : bars(data, rows, inward, estimated, c)),
    columns: [
      { name: "origin", label: t("column.origin") }, { name: "destination", label: t("column.destination") }, { name: "year", label: t("column.year") },
      ...["0.1", "0.5", "0.9"].map((level) => ({ name: `quantile_${level}`, label: { 0.1: t("column.low"), 0.5: t("column.median"), 0.9: t("column.high") }[level], write: whole })),
      { name: "share_of_medians", label: t("column.share"), write: percent }, { name: "basis", label: t("column.basis") },
    ],
    rows: rows.map((one) => [regionName(data.byCode.get(one.origin)), regionName(data.byCode.get(one.destination)), one.year, one.quantiles["0.1"], one.quantiles["0.5"], one.quantiles["0.9"], Math.round((1000 * one.quantiles["0.5"]) / sum) / 1000, t(`basis.${one.basis}`)]),
  });
}

// The largest by name, the rest as one; what flows together are medians, so that the whole is no forecast of its own.
function sankey(data, rows, here, inward, write, c) {
  const named_ = rows.slice(0, SHOWN).map((one) => ({ label: `${shortName(one.region, data.regions)}  ${write(one)}`, value: one.quantiles["0.5"] }));
  const rest = rows.slice(SHOWN).reduce((all, one) => all + one.quantiles["0.5"], 0);
  const ends = rest ? [...named_, { label: `${t("flows.rest", { count: rows.length - SHOWN })}  ${write({ quantiles: { 0.5: rest }, basis: rows[0].basis })}`, value: rest }] : named_;
  const hub = ends.length;
  const others = ends.map((_, place) => place);
  const tint = inward ? c["gain-2"] : c["loss-2"];
  const link = { source: inward ? others : others.map(() => hub), target: inward ? others.map(() => hub) : others, value: ends.map((one) => one.value), color: ends.map((_, place) => faded(tint, place === SHOWN ? 0.18 : 0.45)), hovertemplate: "%{value:,.0f}<extra></extra>" };
  const node = { label: [...ends.map((one) => one.label), here], color: [...others.map(() => tint), c.accent], pad: 14, thickness: 14, line: { width: 0 }, hovertemplate: "%{label}<extra></extra>" };
  return { traces: [{ type: "sankey", arrangement: "fixed", node, link, textfont: { size: 13, color: c.text, shadow: "none" } }], layout: { margin: { l: 4, r: 4, t: 8, b: 8 } }, height: isNarrow() ? 480 : 430 };
}

function bars(data, rows, inward, estimated, c) {
  const shown = [...rows].reverse();
  const median = shown.map((one) => one.quantiles["0.5"]);
  const tint = inward ? c["gain-2"] : c["loss-2"];
  const error = { type: "data", symmetric: false, array: shown.map((one) => one.quantiles["0.9"] - one.quantiles["0.5"]), arrayminus: shown.map((one) => one.quantiles["0.5"] - one.quantiles["0.1"]), color: c.soft, thickness: 1.4, width: 3 };
  const pattern = estimated ? striped(c) : {};
  const trace = { type: "bar", orientation: "h", y: shown.map((one) => shortName(one.region, data.regions)), x: median, error_x: error, marker: { color: tint, pattern }, hovertemplate: "%{y}: %{text}<extra></extra>", text: shown.map((one) => t("range.median", { median: whole(one.quantiles["0.5"]), low: whole(one.quantiles["0.1"]), high: whole(one.quantiles["0.9"]) })), textposition: "none" };
  return { traces: [trace], layout: { bargap: 0.35, xaxis: { rangemode: "tozero", tickformat: ",.0f" } }, height: 40 + 24 * rows.length };
}
