// Sealed: forecasts that were written down once, and how right they were when the outcome came, beside the last year.

import { ApiError, fetchOf } from "./api.js";
import { Chart } from "./chart.js";
import { $ } from "./dom.js";
import { percent, signedPercent, whole } from "./format.js";
import { striped } from "./plotly.js";
import { scoredTarget } from "./score.js";
import { section } from "./section.js";
import { on } from "./state.js";
import { colours } from "./theme.js";
import { language, t } from "./words.js";

export function mountSealed(data) {
  const chart = new Chart($("#sealed-chart"), "sealed", 4);
  const draw = section($("#sealed"), "sealed.none", () => ask(data), (rows) => sealed(rows, chart));
  on(["score", "lang", "theme"], draw);
  return draw();
}

// Those of the target that is looked at.
async function ask(data) {
  const { scores } = await fetchOf("/scoreboard");
  const target = scoredTarget(data.model.scorecard);
  const rows = scores.filter((one) => one.dataset === data.model.dataset.name && (!target || one.target === target));
  if (!rows.length) throw new ApiError(404, { code: "none", message: "" }, true);
  return rows.sort((a, b) => a.cutoff - b.cutoff || a.horizon - b.horizon);
}

function sealed(rows, chart) {
  const c = colours();
  const name = (one) => `${one.cutoff}<br>→ ${one.year}`;
  const target = t(`target.${rows[0].target}`);
  $("#sealed-summary").textContent = summary(rows);
  const bar = (label, values, tint) => ({
    type: "bar", name: label, x: rows.map(name), y: values, marker: { color: tint, pattern: { ...striped(c), shape: rows.map((one) => (one.hindsight ? "/" : "")) } },
    text: values.map(whole), textposition: "none", hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
  });
  chart.show({
    title: t("sealed.chart", { target }), note: [t("sealed.note"), rows.some((one) => one.hindsight) ? t("sealed.striped") : ""].join(" "), unit: t("unit.persons"), about: [rows[0].target], height: 280,
    traces: [bar(t("sealed.forecast"), rows.map((one) => one.abs_error), c["series-1"]), bar(t("model.persistence"), rows.map((one) => one.error_persistence), c.faint)],
    layout: { barmode: "group", bargap: 0.4, xaxis: { type: "category" }, yaxis: { tickformat: ",.0f", rangemode: "tozero" } },
    columns: [
      { name: "cutoff", label: t("column.cutoff") }, { name: "year", label: t("column.year") }, { name: "sealed", label: t("column.sealed"), write: day },
      { name: "abs_error", label: t("column.abs_error"), write: whole }, { name: "error_persistence", label: t("column.abs_last"), write: whole }, { name: "skill", label: t("column.skill"), write: signedPercent },
      { name: "coverage_80", label: t("column.coverage"), write: percent }, { name: "n", label: t("column.n"), write: whole }, { name: "hindsight", label: t("column.hindsight"), write: (value) => t(value ? "yes" : "no") }, { name: "vintage", label: t("column.vintage") },
    ],
    rows: rows.map((one) => [one.cutoff, one.year, one.sealed, one.abs_error, one.error_persistence, one.skill, one.coverage_80, one.n, one.hindsight, one.vintage]),
  });
}

// Of those that count: what was sealed when its outcome was known proves nothing.
function summary(rows) {
  const proven = rows.filter((one) => !one.hindsight && one.error_persistence !== null);
  const sum = (key) => proven.reduce((all, one) => all + one[key], 0);
  if (!proven.length) return t("sealed.hindsight");
  return t("sealed.summary", { count: proven.length, skill: signedPercent(sum("abs_error") / sum("error_persistence") - 1), coverage: percent(sum("coverage_n") / sum("n")) });
}

const day = (text) => new Date(text).toLocaleDateString(language() === "en" ? "en-GB" : "ru-RU", { timeZone: "UTC" });
