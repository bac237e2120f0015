// Proof: which model is served for what is looked at, why, and how often its intervals held.

import { fill } from "./chart.js";
import { $, english, h } from "./dom.js";
import { forecastAt } from "./data.js";
import { percent, signedPercent } from "./format.js";
import { get, on } from "./state.js";
import { named, t } from "./words.js";

const LEVELS = ["50", "80", "90"];

export function mountProof(data) {
  const draw = () => served(data);
  on(["region", "target", "year", "lang"], draw);
  draw();
}

function served(data) {
  const target = get("target");
  const first = data.cutoff + Math.min(...data.model.horizons);
  const rows = data.model.horizons.map((horizon) => forecastAt(data, get("region"), target, data.cutoff + horizon)).filter(Boolean);
  $("#served").hidden = !rows.length;
  $("#why").classList.toggle("alone", !rows.length);
  if (!rows.length) return;
  const forecast = rows.find((one) => one.year === Math.max(Number(get("year")), first)) ?? rows[0];
  const { skill, coverage_measured: coverage } = forecast;
  const measured = skill.value !== null;
  $("#served-model").textContent = t("served.title.model", { target: t(`target.${target}`), year: forecast.year });
  const put = { model: named("model", forecast.model), gain: signedPercent(-skill.value), cutoffs: skill.cutoffs, probability: percent(decision(data, target, forecast)?.probability) };
  $("#served-why").replaceChildren(t(measured ? "served.measured" : "served.unmeasured", put), forecast.provisional ? h("span", { class: "mark" }, ` ${t("served.provisional")}`) : "");
  $("#served-reason").replaceChildren(english(forecast.why));
  $("#coverage").replaceChildren(...(measured ? LEVELS.map((level) => covered(level, coverage[level])) : []));
  table(data, target, rows);
}

const decision = (data, target, forecast) => data.model.decisions.find((one) => one.target === target && one.horizon === forecast.horizon);

function covered(level, share) {
  const bar = h("span", { class: "bar measured" });
  bar.style.setProperty("width", `${100 * (share ?? 0)}%`);
  const tick = h("span", { class: "tick" });
  tick.style.setProperty("left", `${level}%`);
  return h("div", { class: "covered" }, h("span", {}, t("coverage.of", { level: percent(level / 100) })), h("span", { class: "track", "aria-hidden": "true" }, bar, tick), h("strong", {}, percent(share)));
}

function table(data, target, rows) {
  const columns = [
    { label: t("column.year") }, { label: t("column.model") }, { label: t("column.gain"), write: signedPercent }, { label: t("column.better"), write: percent }, { label: t("column.coverage"), write: percent }, { label: t("column.cutoffs"), write: (value) => value },
  ];
  const told = rows.map((one) => [one.year, named("model", one.model), one.skill.value, decision(data, target, one)?.probability ?? null, one.coverage_measured["80"], one.skill.cutoffs]);
  const title = t("table.of", { title: $("#served-model").textContent });
  $("#served-scroll").setAttribute("aria-label", title);
  fill($("#served-table"), { title, columns, rows: told });
}
