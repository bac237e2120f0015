// Drivers: what a region's rates go together with, by group of indicators. Associations, not causes.

import { post } from "./api.js";
import { Chart, wrapped } from "./chart.js";
import { $, lacking, options } from "./dom.js";
import { decimal } from "./format.js";
import { get, on, set } from "./state.js";
import { colours } from "./theme.js";
import { named, regionName, t } from "./words.js";

const FACTORS = [0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, 10];
const MEASURES = ["out_migration", "inflow"];

export async function mountDrivers(data) {
  const chart = new Chart($("#drivers-chart"), "drivers");
  $("#drivers-measure").addEventListener("change", (event) => set({ measure: event.target.value }));
  const draw = () => drawDrivers(data, chart).catch((error) => lacking($("#drivers-body"), t("lacking.drivers"), error.message));
  on(["region", "measure", "lang", "theme"], draw);
  return draw();
}

async function drawDrivers(data, chart) {
  const region = get("region");
  const told = await post("/drivers", { region });
  const measure = get("measure");
  options($("#drivers-measure"), MEASURES.map((one) => [one, t(`target.${one}`)]), measure);
  const models = told.regions.filter((one) => one.measure === measure);
  const groups = ordered(models);
  const c = colours();
  const tints = { gravity: c["series-1"], boosted: c["series-2"] };
  const name = regionName(data.byCode.get(region));
  const traces = models.map((one) => ({
    type: "bar", orientation: "h", name: t(`drivers.${one.model}`), y: groups.map((group) => wrapped(named("group", group))), x: groups.map((group) => one.contributions[group] ?? 0),
    marker: { color: tints[one.model] }, hovertemplate: "%{y}: %{text}<extra></extra>", textposition: "none", text: groups.map((group) => times(one.contributions[group] ?? 0)),
  }));
  const { rate_per_1000: rate, reference_per_1000: reference, year } = models[0];
  await chart.show({
    title: t("drivers.title", { target: t(`target.${measure}`), region: name, year }),
    note: t("drivers.note", { rate: decimal(rate), reference: decimal(reference) }),
    traces, layout: { barmode: "group", bargap: 0.3, xaxis: ticks(models) }, height: 90 + 40 * groups.length,
    columns: [{ name: "group", label: t("column.group") }, ...models.map((one) => ({ name: `log_${one.model}`, label: t(`drivers.${one.model}`), write: (value) => (value === null ? "–" : times(value)) }))],
    rows: groups.map((group) => [named("group", group), ...models.map((one) => one.contributions[group] ?? null)]),
  });
}

// Logs as what the rate is multiplied by.
const times = (log) => `×${decimal(Math.exp(log), 2)}`;

function ticks(models) {
  const largest = Math.max(0.1, ...models.flatMap((one) => Object.values(one.contributions).map(Math.abs)));
  const values = FACTORS.filter((one) => Math.abs(Math.log(one)) <= largest * 1.1);
  return { tickvals: values.map(Math.log), ticktext: values.map((one) => `×${decimal(one, one % 1 ? 2 : 0)}`) };
}

// Groups by size, the largest on top: plotly draws from below.
function ordered(models) {
  const size = (group) => Math.max(...models.map((one) => Math.abs(one.contributions[group] ?? 0)));
  const groups = [...new Set(models.flatMap((one) => Object.keys(one.contributions)))];
  return groups.sort((a, b) => size(a) - size(b));
}
