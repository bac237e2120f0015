// Region: one region's numbers, its past and forecast as a fan, what is served and why.

import { Chart } from "./chart.js";
import { $, english, h, options } from "./dom.js";
import { formerly, inUnit, pastAt, populationAt, valueAt } from "./data.js";
import { amount, interval, percent, signedPercent } from "./format.js";
import { get, on, set } from "./state.js";
import { colours, faded } from "./theme.js";
import { named, regionName, t } from "./words.js";

const BANDS = [["0.05", "0.95", 0.14], ["0.1", "0.9", 0.2], ["0.25", "0.75", 0.3]];

export function mountRegion(data) {
  const chart = new Chart($("#fan"), "region");
  $("#region").addEventListener("change", (event) => set({ region: event.target.value }));
  const draw = () => {
    const region = data.byCode.get(get("region"));
    options($("#region"), data.regions.map((one) => [one.region, regionName(one)]), region.region);
    numbers(data, region);
    fan(data, region, chart);
    served(data, region);
  };
  on(["region", "target", "unit", "year", "lang", "theme"], draw);
  draw();
}

function numbers(data, region) {
  const [unit, year] = [get("unit"), Number(get("year"))];
  const blocks = data.model.targets.map((target) => {
    const value = valueAt(data, region.region, target, year);
    const { value: number, low, high } = inUnit(value, unit);
    const write = (one) => amount(one, unit, target);
    const basis = value.kind === "former" ? regionName(data.byCode.get(value.former)) : value.basis && t(`${value.kind === "forecast" ? "continues" : "basis"}.${value.basis}`);
    const sure = value.basis === "estimated" || value.kind === "former" ? "estimated" : "known";
    return h("div", { class: `number ${sure}`, "data-target": target },
      h("span", { class: "what" }, t(`target.${target}`)), h("strong", {}, number === null ? "–" : write(number)),
      h("span", { class: "range" }, low === null ? "" : interval(low, high, write)), h("span", { class: "mark" }, number === null ? t("kind.none") : `${t(`kind.${value.kind}`)}${basis && value.kind !== "estimated" ? ` · ${basis}` : ""}`));
  });
  $("#numbers").replaceChildren(...blocks);
  $("#numbers-title").textContent = t("numbers.title", { region: regionName(region), year, unit: t(`unit.${unit}`) });
}

function fan(data, region, chart) {
  const [target, unit, c] = [get("target"), get("unit"), colours()];
  const write = (value) => amount(value, unit, target);
  const past = pastOf(data, region, target, unit);
  const ahead = aheadOf(data, region, target, unit);
  const own = past.filter((one) => one.kind !== "former");
  const line = (rows, name, style) => ({ x: rows.map((one) => one.year), y: rows.map((one) => one.value), name, mode: "lines+markers", marker: { size: 5 }, hovertemplate: "%{x}: %{text}<extra></extra>", text: rows.map((one) => write(one.value)), ...style });
  const traces = [
    ...former(data, past, c, line),
    ...estimates(own, c),
    ...bands(own.at(-1), ahead, c),
    line(own, t(own.some((one) => one.kind === "estimated") ? "fan.estimated" : "fan.recorded"), { line: { color: c.text, width: 2, dash: own.some((one) => one.kind === "estimated") ? "dash" : "solid" }, marker: { size: 5, color: c.text, symbol: own.map((one) => (one.kind === "estimated" ? "circle-open" : "circle")) } }),
    line([...own.slice(-1), ...ahead], t("fan.forecast"), { line: { color: c.accent, width: 2.5, dash: "dot" }, marker: { size: 7, symbol: "circle-open", color: c.accent } }),
  ];
  const shapes = [{ type: "line", x0: data.cutoff + 0.5, x1: data.cutoff + 0.5, yref: "paper", y0: 0, y1: 1, line: { color: c.faint, width: 1, dash: "dot" } }];
  const from = formerly(data, region.region, data.firstYear);
  chart.show({
    title: t("fan.title", { target: t(`target.${target}`), region: regionName(region), unit: t(`unit.${unit}`) }),
    note: [t(`scope.${data.scopes[target]}`), from ? t("fan.former", { former: regionName(data.byCode.get(from)) }) : ""].join(" "),
    traces, layout: { shapes, xaxis: { dtick: 4, tickformat: "d" }, yaxis: { zeroline: true, tickformat: unit === "persons" ? ",.0f" : "" } }, ...table(past, ahead, write),
  });
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

function former(data, past, c, line) {
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

// --- what is served -------------------------------------------------------------------------------------------------

function served(data, region) {
  const target = get("target");
  const year = Math.max(Number(get("year")), data.cutoff + Math.min(...data.model.horizons));
  const { forecast } = valueAt(data, region.region, target, year);
  $("#served").hidden = !forecast;
  if (!forecast) return;
  const { skill, coverage_measured: coverage } = forecast;
  const measured = skill.value !== null;
  const decision = data.model.decisions.find((one) => one.target === target && one.horizon === forecast.horizon);
  const put = { model: named("model", forecast.model), gain: signedPercent(-skill.value), cutoffs: skill.cutoffs, probability: percent(decision?.probability), year };
  const why = measured ? t("served.measured", put) : t("served.unmeasured", put);
  $("#served-why").replaceChildren(why, " ", forecast.provisional ? h("span", { class: "mark" }, t("served.provisional")) : "");
  $("#served-reason").replaceChildren(t("served.words"), " ", english(forecast.why));
  $("#coverage").replaceChildren(...(measured ? ["50", "80", "90"].map((level) => covered(level, coverage[level])) : [h("p", { class: "note" }, t("sure.unmeasured"))]));
}

function covered(level, share) {
  const bar = h("span", { class: "bar measured" });
  bar.style.setProperty("width", percentCss(share));
  const tick = h("span", { class: "tick" });
  tick.style.setProperty("left", `${level}%`);
  return h("div", { class: "covered" }, h("span", {}, t("coverage.of", { level: percent(level / 100) })), h("span", { class: "track", "aria-hidden": "true" }, bar, tick), h("strong", {}, share === null ? "–" : percent(share)));
}

const percentCss = (share) => `${100 * (share ?? 0)}%`;
