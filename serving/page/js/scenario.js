// Scenario: what the service answers when indicators are changed, asked while the sliders move.

import { ApiError, fetchOf, postNow } from "./api.js";
import { Chart, striped } from "./chart.js";
import { $, english, h, lacking, options } from "./dom.js";
import { citiesFirst } from "./flows.js";
import { interval, signed, whole } from "./format.js";
import { changeRows, changesOf } from "./levers.js";
import { get, on, set } from "./state.js";
import { colours } from "./theme.js";
import { named, regionName, shortName, t } from "./words.js";

const PAUSE_MS = 180;
const SHOWN = 12;

export async function mountScenario(data) {
  let levers;
  try {
    levers = await fetchOf("/indicators");
  } catch (error) {
    return lacking($("#scenario-body"), t("lacking.scenario"), error.message);
  }
  const charts = { effects: new Chart($("#scenario-effects"), "scenario"), diverted: new Chart($("#scenario-diverted"), "diverted") };
  const rows = changeRows(data, levers);
  $("#scenario-year").addEventListener("change", (event) => set({ scenarioyear: event.target.value }));
  $("#scenario-city").addEventListener("change", (event) => set({ scenariocity: event.target.value }));
  $("#scenario-beyond").addEventListener("change", (event) => set({ beyond: event.target.checked ? "1" : "" }));
  const ask = asking(data, levers, charts);
  on(["changes", "scenariocity", "beyond"], () => ask.now());
  on(["scenarioyear", "lang", "theme"], () => ask.again());
  on(["lang"], rows);
  rows();
  return ask.now(0);
}

// now: waits until the slider rests, and drops the answer that is overtaken. again: draws the last answer anew.
function asking(data, levers, charts) {
  let [timer, running, last] = [0, new AbortController(), null];
  const again = () => last && draw(data, levers, charts, last);
  const ask = async ({ signal }) => {
    try {
      last = await answer(data, levers, signal);
      await again();
    } catch (error) {
      refused(error);
    }
  };
  const now = (pause = PAUSE_MS) =>
    new Promise((resolve) => {
      clearTimeout(timer);
      running.abort();
      running = new AbortController();
      timer = setTimeout(() => ask(running).finally(resolve), pause);
    });
  return { now, again };
}

function asked(data, levers) {
  const year = levers.years.includes(Number(get("scenarioyear"))) ? Number(get("scenarioyear")) : levers.years[0];
  const city = data.byCode.has(get("scenariocity")) ? get("scenariocity") : citiesFirst(data)[0].region;
  options($("#scenario-year"), levers.years.map((one) => [one, one]), year);
  options($("#scenario-city"), citiesFirst(data).map((one) => [one.region, regionName(one)]), city);
  $("#scenario-beyond").checked = get("beyond") === "1";
  return { year, city };
}

// {told, changes}: what the service says to the changes as they are.
async function answer(data, levers, signal) {
  const { city } = asked(data, levers);
  const changes = changesOf(levers).filter((one) => one.amount !== 0);
  const body = { changes: changes.map(({ region, indicator, words }) => ({ region, indicator, change: words })), city, allow_extrapolation: get("beyond") === "1" };
  return { told: await postNow("/scenario", body, signal), changes };
}

async function draw(data, levers, charts, { told, changes }) {
  const { year, city } = asked(data, levers);
  const regions = told.regions.filter((one) => one.year === year);
  $("#scenario-fault").replaceChildren();
  $("#scenario-result").classList.remove("old");
  summary(data, regions, changes, year);
  applicability(data, told);
  assumptions(told);
  await Promise.all([effects(data, regions, year, charts.effects), diverted(data, told.diverted, city, year, charts.diverted)]);
}

function refused(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ApiError)) throw error;
  $("#scenario-result").classList.add("old");
  $("#scenario-fault").replaceChildren(h("strong", {}, t("scenario.refused")), " ", english(error.message));
}

// For each region that is changed: who stays, who comes, and the balance.
function summary(data, regions, changes, year) {
  const codes = [...new Set(changes.map((one) => one.region))];
  const told = codes.map((code) => regions.find((one) => one.region === code)).filter(Boolean);
  const cell = (what, quantiles) => h("div", { class: "number estimated" }, h("span", { class: "what" }, what), h("strong", {}, signed(quantiles["0.5"])), h("span", { class: "range" }, interval(quantiles["0.1"], quantiles["0.9"], signed)));
  const block = (one) => [
    h("h3", { class: "section-title" }, t("scenario.in", { region: regionName(data.byCode.get(one.region)), year })),
    h("div", { class: "numbers", "data-region": one.region }, cell(t("scenario.stays"), one.stays), cell(t("scenario.inflow"), one.inflow.difference), cell(t("scenario.net"), one.net_migration.difference)),
  ];
  $("#scenario-summary").replaceChildren(...(told.length ? told.flatMap(block) : [h("p", { class: "note" }, t("scenario.nothing"))]));
}

function applicability(data, told) {
  const row = (one) => h("li", {}, h("span", { class: `badge ${one.applicability}` }, t(`applicability.${one.applicability}`)), " ", `${regionName(data.byCode.get(one.region))}, ${named("indicator", one.indicator)} ${one.change}: `, english(`${one.reason}; nearest: ${one.nearest_seen_case}`));
  $("#scenario-applicability").replaceChildren(...told.changes.map(row));
}

function assumptions(told) {
  $("#scenario-assumptions").replaceChildren(...told.assumptions.map((one) => h("li", { lang: "en" }, one)));
}

async function effects(data, regions, year, chart) {
  const c = colours();
  const middle = (one) => one.net_migration.difference["0.5"];
  const sorted = [...regions].sort((a, b) => Math.abs(middle(b)) - Math.abs(middle(a)));
  const shown = sorted.slice(0, SHOWN).sort((a, b) => middle(a) - middle(b));
  const traces = [[c["gain-2"], shown.filter((one) => middle(one) >= 0)], [c["loss-2"], shown.filter((one) => middle(one) < 0)]].map(([tint, rows]) => bars(data, rows, tint, c));
  const levels = ["0.1", "0.5", "0.9"];
  await chart.show({
    title: t("scenario.effects", { year }), note: t("scenario.assumed"), traces, height: 60 + 26 * shown.length, layout: { barmode: "overlay", showlegend: false, bargap: 0.35, xaxis: { tickformat: ",.0f" }, yaxis: { categoryorder: "array", categoryarray: shown.map((one) => shortName(data.byCode.get(one.region), data.regions)) } },
    columns: [{ name: "region", label: t("column.region") }, { name: "year", label: t("column.year") }, ...levels.map((level) => ({ name: `difference_net_${level}`, label: `${t("scenario.net")} ${t({ 0.1: "column.low", 0.5: "column.median", 0.9: "column.high" }[level])}`, write: signed })), { name: "stays_0.5", label: t("scenario.stays"), write: signed }, { name: "difference_inflow_0.5", label: t("scenario.inflow"), write: signed }],
    rows: sorted.map((one) => [regionName(data.byCode.get(one.region)), year, ...levels.map((level) => one.net_migration.difference[level]), one.stays["0.5"], one.inflow.difference["0.5"]]),
  });
}

function bars(data, rows, tint, c) {
  const at = (level) => rows.map((one) => one.net_migration.difference[level]);
  const [low, median, high] = ["0.1", "0.5", "0.9"].map(at);
  const error = { type: "data", symmetric: false, array: high.map((one, place) => one - median[place]), arrayminus: low.map((one, place) => median[place] - one), color: c.soft, thickness: 1.4, width: 3 };
  return {
    type: "bar", orientation: "h", y: rows.map((one) => shortName(data.byCode.get(one.region), data.regions)), x: median, error_x: error, marker: { color: tint, pattern: striped(c) },
    text: rows.map((_, place) => `${signed(median[place])}, ${interval(low[place], high[place], signed)}`), textposition: "none", hovertemplate: "%{y}: %{text}<extra></extra>",
  };
}

async function diverted(data, rows, city, year, chart) {
  const c = colours();
  const here = rows.filter((one) => one.year === year && one.persons >= 1);
  const origins = [...new Set(here.map((one) => one.origin))].map((code) => ({ code, sum: here.filter((one) => one.origin === code).reduce((all, one) => all + one.persons, 0) })).sort((a, b) => b.sum - a.sum).slice(0, SHOWN).reverse();
  const label = (code) => (code === "stays" ? t("diverted.stays") : shortName(data.byCode.get(code), data.regions));
  const totals = [...new Set(here.map((one) => one.instead))].sort((a, b) => (b === "stays") - (a === "stays"));
  const tints = [c["series-1"], c["series-2"], c["series-3"], c["series-4"], c.faint];
  const of = (origin, instead) => here.find((one) => one.origin === origin && one.instead === instead)?.persons ?? 0;
  const traces = totals.map((instead, place) => ({ type: "bar", orientation: "h", name: label(instead), y: origins.map((one) => label(one.code)), x: origins.map((one) => of(one.code, instead)), marker: { color: tints[Math.min(place, 4)] }, hovertemplate: "%{y}: %{x:,.0f}<extra>%{fullData.name}</extra>" }));
  $("#scenario-diverted").hidden = !here.length;
  $("#scenario-charts").classList.toggle("alone", !here.length);
  $("#scenario-not-diverted").textContent = here.length ? "" : t("diverted.none", { city: regionName(data.byCode.get(city)), year });
  await chart.show({
    title: t("diverted.title", { city: regionName(data.byCode.get(city)), year }), note: t("diverted.note"), traces, height: 110 + 26 * origins.length, layout: { barmode: "stack", bargap: 0.35, xaxis: { tickformat: ",.0f" } },
    columns: [{ name: "origin", label: t("column.origin") }, { name: "instead", label: t("column.instead") }, { name: "year", label: t("column.year") }, { name: "persons", label: t("column.persons"), write: whole }],
    rows: here.map((one) => [regionName(data.byCode.get(one.origin)), label(one.instead), one.year, one.persons]),
  });
}
