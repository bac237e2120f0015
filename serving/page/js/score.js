// Score: how right every model would have been on past years, forecasting each from what was known then.

import { Chart } from "./chart.js";
import { $, options } from "./dom.js";
import { decimal, percent, signedPercent, whole } from "./format.js";
import { isNarrow, wrapped } from "./plotly.js";
import { section } from "./section.js";
import { get, on, set } from "./state.js";
import { colours } from "./theme.js";
import { named, t } from "./words.js";

const SYMBOLS = ["circle", "square", "diamond", "triangle-up"];

export function mountScore(data) {
  const chart = new Chart($("#score-chart"), "backtest", 4);
  $("#score-target").addEventListener("change", (event) => set({ score: event.target.value }));
  const draw = section($("#backtest"), "score.none", async () => data.model.scorecard, (rows) => backtest(rows, chart));
  on(["score", "lang", "theme"], draw);
  return draw();
}

// Those that have a score; a target that has none is not offered.
export const scored = (rows) => [...new Set(rows.map((one) => one.target))];
export const scoredTarget = (rows) => (scored(rows).includes(get("score")) ? get("score") : scored(rows)[0]);

function backtest(scorecard, chart) {
  const target = scoredTarget(scorecard);
  options($("#score-target"), scored(scorecard).map((one) => [one, t(`target.${one}`)]), target);
  const rows = scorecard.filter((one) => one.target === target);
  const c = colours();
  const horizons = [...new Set(rows.map((one) => one.horizon))];
  const models = ordered(rows);
  chart.show({
    title: t("score.title", { target: t(`target.${target}`) }), note: t("score.note"), unit: t("score.unit"), about: [target], height: 50 + 42 * models.length,
    traces: horizons.map((horizon, place) => points(rows.filter((one) => one.horizon === horizon), models, place - (horizons.length - 1) / 2, horizon, c)),
    layout: { xaxis: { tickformat: "+.0%", nticks: isNarrow() ? 3 : 6, zeroline: true, zerolinewidth: 2 }, yaxis: { tickvals: models.map((_, place) => place), ticktext: models.map((one) => wrapped(named("model", one), isNarrow() ? 16 : 26)), autorange: "reversed", zeroline: false } },
    columns: [{ name: "model", label: t("column.model") }, { name: "horizon", label: t("column.horizon") }, { name: "skill", label: t("column.skill"), write: signedPercent }, { name: "skill_low", label: t("column.low"), write: signedPercent }, { name: "skill_high", label: t("column.high"), write: signedPercent }, { name: "won", label: t("column.won"), write: percent }, { name: "wape", label: "WAPE", write: (value) => decimal(value, 3) }, { name: "coverage_80", label: t("column.coverage"), write: percent }, { name: "cutoffs", label: t("column.cutoffs"), write: whole }],
    rows: rows.map((one) => [named("model", one.model), one.horizon, one.skill, one.skill_low, one.skill_high, one.won, one.wape, one.coverage_80, one.cutoffs]),
  });
}

// What would have been served first, then by skill.
function ordered(rows) {
  const mean = (model) => rows.filter((one) => one.model === model).reduce((sum, one) => sum + (one.skill ?? 0), 0);
  return [...new Set(rows.map((one) => one.model))].sort((a, b) => (b === "served") - (a === "served") || mean(b) - mean(a));
}

function points(rows, models, shift, horizon, c) {
  const of = rows.filter((one) => one.skill !== null);
  const ends = (end) => of.map((one) => Math.abs((one[end] ?? one.skill) - one.skill));
  const place = horizon - 1;
  const tint = c[`series-${(place % 4) + 1}`];
  return {
    type: "scatter", mode: "markers", name: t("score.horizon", { horizon }), y: of.map((one) => models.indexOf(one.model) + 0.2 * shift), x: of.map((one) => one.skill),
    error_x: { type: "data", symmetric: false, array: ends("skill_high"), arrayminus: ends("skill_low"), color: tint, thickness: 1.6, width: 3 }, marker: { size: 9, color: tint, symbol: SYMBOLS[place % 4] },
    text: of.map((one) => `${named("model", one.model)}: ${signedPercent(one.skill)}`), hovertemplate: "%{text}<extra></extra>",
  };
}
