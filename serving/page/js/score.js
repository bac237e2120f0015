// Score: how right past forecasts were: the backtest of every model, and the forecasts that were sealed.

import { fetchOf } from "./api.js";
import { Chart, fill, isNarrow, wrapped } from "./chart.js";
import { $, h, options } from "./dom.js";
import { decimal, percent, signedPercent, whole } from "./format.js";
import { get, on, set } from "./state.js";
import { colours } from "./theme.js";
import { named, t } from "./words.js";

export async function mountScore(data) {
  const chart = new Chart($("#score-chart"), "backtest");
  $("#score-target").addEventListener("change", (event) => set({ score: event.target.value }));
  const draw = () => Promise.all([backtest(data, chart), sealed()]);
  on(["score", "lang", "theme"], draw);
  return draw();
}

async function backtest(data, chart) {
  const scored = [...new Set(data.model.scorecard.map((one) => one.target))];
  if (!scored.length) return $("#score-chart").replaceChildren(h("p", { class: "lacking" }, t("score.none")));
  const target = scored.includes(get("score")) ? get("score") : scored[0];
  options($("#score-target"), scored.map((one) => [one, t(`target.${one}`)]), target);
  const rows = data.model.scorecard.filter((one) => one.target === target);
  const c = colours();
  const horizons = [...new Set(rows.map((one) => one.horizon))];
  const models = [...new Set(rows.map((one) => one.model))];
  const tints = [c["series-1"], c["series-2"], c["series-3"], c["series-4"]];
  const traces = horizons.map((horizon, place) => {
    const of = models.map((model) => rows.find((one) => one.model === model && one.horizon === horizon)).filter((one) => one && one.skill !== null);
    const ends = (end) => of.map((one) => Math.abs((one[end] ?? one.skill) - one.skill));
    return { type: "scatter", mode: "markers", name: t("score.horizon", { horizon }), y: of.map((one) => models.indexOf(one.model) + 0.16 * (place - (horizons.length - 1) / 2)), x: of.map((one) => one.skill), error_x: { type: "data", symmetric: false, array: ends("skill_high"), arrayminus: ends("skill_low"), color: tints[place % 4], thickness: 1.6, width: 3 }, marker: { size: 9, color: tints[place % 4], symbol: ["circle", "square", "diamond", "triangle-up"][place % 4] }, text: of.map((one) => `${named("model", one.model)}: ${signedPercent(one.skill)}`), hovertemplate: "%{text}<extra></extra>" };
  });
  await chart.show({
    title: t("score.title", { target: t(`target.${target}`) }), note: t("score.note"), traces, height: 120 + 42 * models.length,
    layout: { xaxis: { tickformat: "+.0%", nticks: isNarrow() ? 3 : 6, zeroline: true, zerolinewidth: 2 }, yaxis: { tickvals: models.map((_, place) => place), ticktext: models.map((one) => wrapped(named("model", one))), autorange: "reversed" } },
    columns: [{ name: "model", label: t("column.model") }, { name: "horizon", label: t("column.horizon") }, { name: "skill", label: t("column.skill"), write: signedPercent }, { name: "skill_low", label: t("column.low"), write: signedPercent }, { name: "skill_high", label: t("column.high"), write: signedPercent }, { name: "won", label: t("column.won"), write: percent }, { name: "wape", label: "WAPE", write: (value) => decimal(value, 3) }, { name: "coverage_80", label: t("column.coverage"), write: percent }, { name: "cutoffs", label: t("column.cutoffs"), write: whole }],
    rows: rows.map((one) => [named("model", one.model), one.horizon, one.skill, one.skill_low, one.skill_high, one.won, one.wape, one.coverage_80, one.cutoffs]),
  });
}

// Forecasts that were written down before the outcome was known. Rows are shown as the service names them.
async function sealed() {
  const host = $("#sealed");
  try {
    const { endpoints } = await fetchOf("/");
    if (!endpoints.some((one) => one.path === "/scoreboard")) return host.replaceChildren(h("p", { class: "lacking" }, t("sealed.none")));
    const told = await fetchOf("/scoreboard");
    const rows = Object.values(told).find((value) => Array.isArray(value) && value.length && typeof value[0] === "object");
    if (!rows) return host.replaceChildren(h("p", { class: "lacking" }, t("sealed.none")));
    const names = Object.keys(rows[0]).filter((name) => typeof rows[0][name] !== "object" || rows[0][name] === null);
    const table = h("table");
    const write = (value) => (typeof value === "number" && !Number.isInteger(value) ? decimal(value, 3) : (value ?? "–"));
    fill(table, { title: t("sealed.title"), columns: names.map((name) => ({ label: named("column", name) })), rows: rows.map((row) => names.map((name) => write(row[name]))) });
    return host.replaceChildren(h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("sealed.title") }, table));
  } catch (error) {
    if (!error.status) throw error;
    return host.replaceChildren(h("p", { class: "lacking" }, t("sealed.none")));
  }
}
