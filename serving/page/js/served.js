// Served: who is present in a city, and what they need against what there is: the worked example of the service.

import { post } from "./api.js";
import { Chart, fill } from "./chart.js";
import { $, h, options } from "./dom.js";
import { compact, date, percent, whole } from "./format.js";
import { shortTicks } from "./plotly.js";
import { section } from "./section.js";
import { get, on, set } from "./state.js";
import { colours, faded } from "./theme.js";
import { named, regionName, t } from "./words.js";

const BANDS = [["0.1", "0.9", 0.2], ["0.25", "0.75", 0.32]];

export function mountServed(data) {
  const chart = new Chart($("#served-chart"), "demand");
  $("#load").addEventListener("change", (event) => set({ load: event.target.value }));
  const draw = section($("#served-body"), "lacking.served", () => post("/served-population", { level: get("level") }), (told) => drawServed(data, chart, told));
  on(["level", "load", "lang", "theme"], draw);
  return draw();
}

const keyOf = (load) => `${load.part}.${load.name}`;
const nameOf = (load) => `${t(`load.${load.part}`)}: ${named("load", load.name)}`;

function drawServed(data, chart, told) {
  const limited = told.loads.filter((load) => load.years.some((one) => one.limit !== null));
  const load = told.loads.find((one) => keyOf(one) === get("load")) ?? limited[0] ?? told.loads[0];
  options($("#load"), told.loads.map((one) => [keyOf(one), nameOf(one)]), keyOf(load));
  const city = regionName(data.byCode.get(told.region)) || told.city;
  $("#served-title").textContent = t("served.title", { city });
  $("#illustrative").hidden = !told.illustrative;
  $("#served-assumptions").replaceChildren(...[...told.contradictions, ...told.assumptions].map((one) => h("li", { lang: "en" }, one)));
  ledger(told, city);
  first(limited);
  picture(load, city, told.illustrative, chart);
}

function ledger(told, city) {
  const columns = [
    { label: t("column.presence") }, { label: t("column.stated"), write: whole }, { label: t("column.reconciled"), write: whole }, { label: t("column.error"), write: whole }, { label: t("column.basis") }, { label: t("column.source") },
  ];
  const rows = told.ledger.map((one) => [named("presence", one.kind), one.stated, one.reconciled, one.reconciled_error, one.basis && t(`basis.${one.basis}`), source(one.source)]);
  fill($("#ledger"), { title: t("ledger.title", { city, date: date(told.date) }), columns, rows });
  $("#ledger-title").textContent = t("ledger.title", { city, date: date(told.date) });
}

function source(text) {
  if (!/^https:\/\//.test(text ?? "")) return text;
  return h("a", { href: text, rel: "noreferrer" }, new URL(text).hostname);
}

// When each limit is more likely passed than not.
function first(limited) {
  $("#over").replaceChildren(...limited.map((load) => h("div", { class: "number estimated" }, h("span", { class: "what" }, nameOf(load)), h("strong", {}, load.first_year_over ?? "–"), h("span", { class: "range" }, t(load.first_year_over ? "over.first" : "over.none")))));
}

function picture(load, city, illustrative, chart) {
  const c = colours();
  const years = load.years.map((one) => one.year);
  const at = (level) => load.years.map((one) => one.quantiles[level]);
  const bands = BANDS.flatMap(([low, high, alpha]) => [
    { x: years, y: at(low), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { x: years, y: at(high), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: faded(c.accent, alpha), name: t("fan.band", { share: percent(high - low) }), hoverinfo: "skip" },
  ]);
  const middle = { x: years, y: at("0.5"), mode: "lines", name: t(`load.${load.part}`), line: { color: c.accent, width: 2.5, dash: "dot" }, text: load.years.map((one) => `${compact(one.quantiles["0.5"])}${one.probability_over === null ? "" : ` · ${t("over.probability", { share: percent(one.probability_over) })}`}`), hovertemplate: "%{x}: %{text}<extra></extra>" };
  const limits = load.years.map((one) => one.limit);
  const limit = { x: years, y: limits, mode: "lines", name: t("load.limit"), line: { color: c.warn, width: 2, shape: "hv" }, text: limits.map(compact), hovertemplate: "%{x}: %{text}<extra></extra>" };
  chart.show({
    title: t("served.chart", { load: nameOf(load), city, unit: named("unit", load.unit) }), note: illustrative ? t("served.illustrative") : "", unit: named("unit", load.unit), about: [load.part, load.name],
    traces: [...bands, middle, ...(limits.some((one) => one !== null) ? [limit] : [])], layout: { xaxis: { tickformat: "d" }, yaxis: shortTicks([...at("0.9"), ...limits]) },
    columns: [{ name: "year", label: t("column.year") }, ...["0.1", "0.5", "0.9"].map((one) => ({ name: `quantile_${one}`, label: t({ 0.1: "column.low", 0.5: "column.median", 0.9: "column.high" }[one]), write: whole })), { name: "limit", label: t("load.limit"), write: whole }, { name: "probability_over", label: t("column.over"), write: percent }],
    rows: load.years.map((one) => [one.year, one.quantiles["0.1"], one.quantiles["0.5"], one.quantiles["0.9"], one.limit, one.probability_over].map((value, place) => (place && place < 5 && value !== null ? Math.round(value) : value))),
  });
}
