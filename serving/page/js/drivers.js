// Drivers: what a region's rates go together with, by group of indicators. Associations, not causes.

import { post } from "./api.js";
import { Chart } from "./chart.js";
import { $ } from "./dom.js";
import { decimal } from "./format.js";
import { isNarrow, wrapped } from "./plotly.js";
import { section } from "./section.js";
import { get, on } from "./state.js";
import { colours } from "./theme.js";
import { named, regionName, t } from "./words.js";

const FACTORS = [0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, 10];

export function mountDrivers(data) {
  const charts = { out_migration: new Chart($("#drivers-out"), "drivers-out"), inflow: new Chart($("#drivers-in"), "drivers-in") };
  const draw = section($("#drivers-body"), "lacking.drivers", () => post("/drivers", { region: get("region") }), (told) => {
    for (const [measure, chart] of Object.entries(charts)) drawDrivers(data, chart, told, measure);
  });
  on(["region", "lang", "theme"], draw);
  return draw();
}

function drawDrivers(data, chart, told, measure) {
  const region = get("region");
  const models = told.regions.filter((one) => one.measure === measure);
  const groups = ordered(models);
  const c = colours();
  const tints = { gravity: c["series-1"], boosted: c["series-2"] };
  const traces = models.map((one) => ({
    type: "bar", orientation: "h", name: t(`drivers.${one.model}`), y: groups.map((group) => wrapped(named("group", group))), x: groups.map((group) => one.contributions[group] ?? 0),
    marker: { color: tints[one.model] }, hovertemplate: "%{y}: %{text}<extra></extra>", textposition: "none", text: groups.map((group) => times(one.contributions[group] ?? 0)),
  }));
  const { rate_per_1000: rate, reference_per_1000: reference, year } = models[0];
  const name = regionName(data.byCode.get(region));
  chart.show({
    title: t("drivers.title", { target: t(`target.${measure}`), region: name, year }),
    note: t("drivers.note", { rate: decimal(rate), reference: decimal(reference) }), unit: t("drivers.unit"), about: [region],
    traces, layout: { barmode: "group", bargap: 0.3, xaxis: ticks(models) }, height: 40 + 38 * groups.length,
    columns: [{ name: "group", label: t("column.group") }, ...models.map((one) => ({ name: `log_${one.model}`, label: t(`drivers.${one.model}`), write: (value) => (value === null ? "–" : times(value)) }))],
    rows: [...groups].reverse().map((group) => [named("group", group), ...models.map((one) => one.contributions[group] ?? null)]),
  });
}

// Logs as what the rate is multiplied by.
const times = (log) => `×${decimal(Math.exp(log), 2)}`;

function ticks(models) {
  const largest = Math.max(0.1, ...models.flatMap((one) => Object.values(one.contributions).map(Math.abs)));
  // Those next to 1 have no room beside it where the scale reaches far and the screen does not.
  const near = isNarrow() && largest > 0.4 ? 0.3 : 0;
  const values = FACTORS.filter((one) => one === 1 || (Math.abs(Math.log(one)) <= largest * 1.1 && Math.abs(Math.log(one)) >= near));
  return { tickvals: values.map(Math.log), ticktext: values.map((one) => `×${decimal(one, one % 1 ? 2 : 0)}`) };
}

// Groups by size, the largest on top: plotly draws from below.
function ordered(models) {
  const size = (group) => Math.max(...models.map((one) => Math.abs(one.contributions[group] ?? 0)));
  const groups = [...new Set(models.flatMap((one) => Object.keys(one.contributions)))];
  return groups.sort((a, b) => size(a) - size(b));
}
