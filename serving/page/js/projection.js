// Projection: a region's population many years ahead as a fan, and by sex and age as a pyramid.

import { post } from "./api.js";
import { Chart } from "./chart.js";
import { $, english, h, options } from "./dom.js";
import { compact, decimal, percent, whole } from "./format.js";
import { isNarrow, shortTicks } from "./plotly.js";
import { section } from "./section.js";
import { get, on, set } from "./state.js";
import { colours, faded } from "./theme.js";
import { regionName, t } from "./words.js";

const PARTS = ["population", "children", "working_age", "pension_age", "dependency", "labour"];
const LEVELS = ["low", "medium", "high"];
const BANDS = [["0.1", "0.9", 0.2], ["0.25", "0.75", 0.32]];

export function mountProjection(data) {
  const charts = { fan: new Chart($("#projection-fan"), "population"), pyramid: new Chart($("#projection-pyramid"), "pyramid") };
  for (const [id, key] of [["#projection-region", "region"], ["#level", "level"], ["#part", "part"], ["#pyramid-year", "pyramid"]])
    $(id).addEventListener("change", (event) => set({ [key]: event.target.value }));
  const draw = section($("#projection-body"), "lacking.projection", ask, (told) => drawProjection(data, charts, told));
  on(["region", "level", "part", "pyramid", "lang", "theme"], draw);
  return draw();
}

// {told, ages, rows}: the projection, by sex and age in two of its years, and the part of it that is looked at.
async function ask() {
  const [region, level, part] = [get("region"), get("level"), get("part")];
  const asked = { regions: [region], level };
  const [told, labour] = await Promise.all([post("/projection", asked), part === "labour" ? post("/labour", asked) : null]);
  const ages = await post("/projection", { ...asked, years: pyramidYears(told), ages: true });
  const rows = labour ? labour.labour.map((one) => ({ year: one.year, kind: "projection", quantiles: one.supply })) : told.population.map((one) => ({ year: one.year, kind: one.kind, quantiles: one[part] }));
  return { told, ages, rows };
}

function pyramidYears(told) {
  const years = told.population.map((one) => one.year);
  return [years[0], years.includes(Number(get("pyramid"))) ? Number(get("pyramid")) : years.at(-1)];
}

function drawProjection(data, charts, { told, ages, rows }) {
  const [region, level, part] = [get("region"), get("level"), get("part")];
  const years = told.population.map((one) => one.year);
  const between = pyramidYears(told);
  options($("#projection-region"), data.regions.map((one) => [one.region, regionName(one)]), region);
  options($("#level"), LEVELS.map((one) => [one, t(`level.${one}`)]), level);
  options($("#part"), PARTS.map((one) => [one, t(`part.${one}`)]), part);
  options($("#pyramid-year"), years.slice(1).map((one) => [one, one]), between[1]);
  $("#projection-assumptions").replaceChildren(...told.assumptions.map((one) => h("li", {}, english(`${one.name}: ${one.value}. ${one.source}`))));
  fan(data, region, part, level, rows, told, charts.fan);
  pyramid(data, region, ages, between, charts.pyramid);
}

const band = (rows, low, high, alpha, c) => [
  { x: rows.map((one) => one.year), y: rows.map((one) => one.quantiles[low]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
  { x: rows.map((one) => one.year), y: rows.map((one) => one.quantiles[high]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: faded(c.accent, alpha), name: t("fan.band", { share: percent(high - low) }), hoverinfo: "skip" },
];

function fan(data, region, part, level, rows, told, chart) {
  const c = colours();
  const write = part === "dependency" ? (value) => decimal(value) : whole;
  const past = part === "population" ? Object.entries(data.byCode.get(region).population ?? data.history.regions.find((one) => one.region === region)?.population ?? {}).map(([year, persons]) => ({ year: Number(year), persons })).filter((one) => one.year < rows[0].year) : [];
  // From the last that was counted, so that no year is missing between.
  const joined = [...past.slice(-1).map((one) => ({ year: one.year, quantiles: { 0.5: one.persons } })), ...rows];
  const middle = { x: joined.map((one) => one.year), y: joined.map((one) => one.quantiles["0.5"]), mode: "lines", name: t("projection.median"), line: { color: c.accent, width: 2.5, dash: "dot" }, text: joined.map((one) => write(one.quantiles["0.5"])), hovertemplate: "%{x}: %{text}<extra></extra>" };
  const recorded = { x: past.map((one) => one.year), y: past.map((one) => one.persons), mode: "lines", name: t("fan.recorded"), line: { color: c.text, width: 2 }, text: past.map((one) => write(one.persons)), hovertemplate: "%{x}: %{text}<extra></extra>" };
  const shapes = [{ type: "line", x0: told.forecast_until + 1, x1: told.forecast_until + 1, yref: "paper", y0: 0, y1: 1, line: { color: c.faint, width: 1, dash: "dot" } }];
  chart.show({
    title: t("projection.title", { part: t(`part.${part}`), region: regionName(data.byCode.get(region)), level: t(`level.${level}`) }),
    note: t("projection.note", { year: told.forecast_until }), unit: t(part === "dependency" ? "part.dependency" : "unit.persons"), about: [region, part, level],
    traces: [...(past.length ? [recorded] : []), ...BANDS.flatMap(([low, high, alpha]) => band(rows, low, high, alpha, c)), middle], layout: { shapes, xaxis: { tickformat: "d" }, yaxis: part === "dependency" ? {} : shortTicks(rows.map((one) => one.quantiles["0.9"])) },
    columns: [{ name: "year", label: t("column.year") }, ...["0.1", "0.5", "0.9"].map((one) => ({ name: `quantile_${one}`, label: t({ 0.1: "column.low", 0.5: "column.median", 0.9: "column.high" }[one]), write })), { name: "kind", label: t("column.kind") }],
    rows: [...past.map((one) => [one.year, null, one.persons, null, t("kind.recorded")]), ...rows.map((one) => [one.year, one.quantiles["0.1"], one.quantiles["0.5"], one.quantiles["0.9"], t(`kind.${one.kind}`)])],
  });
}

// Women to the right, men to the left; the first year as outline, the later one filled with its 80 % interval.
function pyramid(data, region, told, [now, then], chart) {
  const [first, last] = told.population.map((one) => one.by_age);
  const groups = Object.keys(last.female);
  const c = colours();
  const side = (sex, sign, tint) => {
    const median = groups.map((group) => last[sex][group]["0.5"]);
    const error = { type: "data", symmetric: false, array: groups.map((group) => last[sex][group][sign > 0 ? "0.9" : "0.1"] - last[sex][group]["0.5"]).map((one) => sign * one), arrayminus: groups.map((group) => sign * (last[sex][group]["0.5"] - last[sex][group][sign > 0 ? "0.1" : "0.9"])), color: c.soft, thickness: 1.2, width: 0 };
    const filled = { type: "bar", orientation: "h", y: groups, x: median.map((one) => sign * one), name: `${t(`sex.${sex}`)} ${then}`, marker: { color: faded(tint, 0.55), line: { width: 0 } }, error_x: error, text: median.map(whole), textposition: "none", hovertemplate: "%{y}: %{text}<extra>%{fullData.name}</extra>" };
    const outline = { type: "bar", orientation: "h", y: groups, x: groups.map((group) => sign * first[sex][group]["0.5"]), name: `${t(`sex.${sex}`)} ${now}`, marker: { color: "rgba(0,0,0,0)", line: { color: c.text, width: 1.4 } }, hoverinfo: "skip" };
    return [filled, outline];
  };
  const largest = Math.max(...["female", "male"].flatMap((sex) => groups.flatMap((group) => [last[sex][group]["0.9"], first[sex][group]["0.5"]])));
  const step = niceStep(largest);
  const ticks = (isNarrow() ? [-2, 0, 2] : [-2, -1, 0, 1, 2]).map((one) => one * step);
  chart.show({
    title: t("pyramid.title", { region: regionName(data.byCode.get(region)), year: then }), note: t("pyramid.note", { year: now }), unit: t("unit.persons"), about: [region, then],
    traces: [...side("male", -1, c["series-1"]), ...side("female", 1, c["series-2"])], height: 400,
    layout: { barmode: "overlay", bargap: 0.12, xaxis: { tickvals: ticks, ticktext: ticks.map((one) => compact(Math.abs(one))), range: [-1.08 * largest, 1.08 * largest] } },
    columns: [{ name: "age", label: t("column.age") }, ...["male", "female"].flatMap((sex) => [{ name: `${sex}_${now}`, label: `${t(`sex.${sex}`)} ${now}`, write: whole }, ...["0.1", "0.5", "0.9"].map((one) => ({ name: `${sex}_${then}_${one}`, label: `${t(`sex.${sex}`)} ${then}, ${t({ 0.1: "column.low", 0.5: "column.median", 0.9: "column.high" }[one])}`, write: whole }))])],
    rows: groups.map((group) => [group, ...["male", "female"].flatMap((sex) => [first[sex][group]["0.5"], last[sex][group]["0.1"], last[sex][group]["0.5"], last[sex][group]["0.9"]])]),
  });
}

function niceStep(largest) {
  const size = 10 ** Math.floor(Math.log10(largest / 2));
  return [5, 2, 1].map((one) => one * size).find((one) => 2 * one <= largest) ?? size;
}
