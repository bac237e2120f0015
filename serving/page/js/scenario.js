// Scenario: what the service answers when indicators are changed, asked while the sliders move.

import { ApiError, fetchOf, postNow } from "./api.js";
import { Chart } from "./chart.js";
import { $, english, h, options } from "./dom.js";
import { drawDiverted, drawEffects } from "./effects.js";
import { citiesFirst } from "./flows.js";
import { interval, signed } from "./format.js";
import { amountOf, changeRows, changesOf, isBeyond, seenRange } from "./levers.js";
import { reason, section } from "./section.js";
import { get, on, set } from "./state.js";
import { named, regionName, t } from "./words.js";

const PAUSE_MS = 180;

export function mountScenario(data) {
  const charts = { effects: new Chart($("#scenario-effects"), "scenario", 4), diverted: new Chart($("#scenario-diverted"), "diverted", 4) };
  let mounted = null;
  // Sliders are made once the service has told what can be changed; afterwards they are only asked about.
  const update = section($("#scenario-body"), "lacking.scenario", () => fetchOf("/indicators"), (levers) => (mounted ??= live(data, levers, charts)));
  on(["lang"], update);
  return update();
}

function live(data, levers, charts) {
  const rows = changeRows(data, levers);
  $("#scenario-year").addEventListener("change", (event) => set({ scenarioyear: event.target.value }));
  $("#scenario-city").addEventListener("change", (event) => set({ scenariocity: event.target.value }));
  $("#scenario-beyond").addEventListener("change", (event) => set({ beyond: event.target.checked ? "1" : "" }));
  const ask = asking(data, levers, charts);
  on(["changes", "scenariocity", "beyond"], () => ask.now());
  on(["scenarioyear", "lang", "theme"], ask.again);
  on(["lang", "changes"], () => document.activeElement?.closest("#levers") || rows());
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
      again();
    } catch (error) {
      refused(data, levers, error, () => now(0));
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

const moved = (levers) => changesOf(levers).filter((one) => one.amount !== 0);

// {told, changes}: what the service says to the changes as they are.
async function answer(data, levers, signal) {
  const { city } = asked(data, levers);
  const changes = moved(levers);
  const body = { changes: changes.map(({ region, indicator, words }) => ({ region, indicator, change: words })), city, allow_extrapolation: get("beyond") === "1" };
  return { told: await postNow("/scenario", body, signal), changes };
}

function draw(data, levers, charts, { told, changes }) {
  const { year, city } = asked(data, levers);
  const regions = told.regions.filter((one) => one.year === year);
  $("#scenario-fault").replaceChildren();
  $("#scenario-result").classList.remove("old");
  summary(data, regions, changes, year);
  applicability(data, levers, told, changes);
  $("#scenario-assumptions").replaceChildren(...told.assumptions.map((one) => h("li", { lang: "en" }, one)));
  drawEffects(data, regions, year, charts.effects);
  const any = drawDiverted(data, told.diverted, city, year, charts.diverted);
  $("#scenario-diverted").hidden = !any;
  $("#scenario-charts").classList.toggle("alone", !any);
  $("#scenario-not-diverted").textContent = any ? "" : t("diverted.none", { city: regionName(data.byCode.get(city)), year });
}

// What was answered before stays, without colours: it is not the answer to what the sliders say now.
function refused(data, levers, error, again) {
  if (error.name === "AbortError") return;
  $("#scenario-result").classList.add("old");
  const beyond = error.code === "scenario_refused" ? moved(levers).filter((one) => isBeyond(levers, one)) : [];
  const why = beyond.length ? never(data, levers, beyond, error) : reason(t("scenario.refused"), error, again);
  $("#scenario-fault").replaceChildren(...why, h("p", {}, t("scenario.old")));
  if (!(error instanceof ApiError)) throw error;
}

// Why, in the reader's language, and what to do; the service's own words below.
function never(data, levers, beyond, error) {
  const line = (one) => h("li", {}, t("scenario.never", { change: changeWords(data, levers, one), ...seenRange(levers, one) }));
  return [h("strong", {}, t("scenario.refused")), h("ul", {}, beyond.map(line)), h("p", {}, t("scenario.allow")), h("details", {}, h("summary", {}, t("served.reason")), h("p", { class: "note" }, english(error.message)))];
}

const changeWords = (data, levers, one) => `${regionName(data.byCode.get(one.region))}, ${named("indicator", one.indicator)} ${amountOf(levers, one)}`;

// For each region that is changed: who stays, who comes, and the balance.
function summary(data, regions, changes, year) {
  const codes = [...new Set(changes.map((one) => one.region))];
  const told = codes.map((code) => regions.find((one) => one.region === code)).filter(Boolean);
  const cell = (what, quantiles) => h("div", { class: "number estimated" }, h("span", { class: "what" }, what), h("strong", {}, signed(quantiles["0.5"])), h("span", { class: "range" }, interval(quantiles["0.1"], quantiles["0.9"], signed)));
  const block = (one) => h("div", { class: "body tight" },
    h("h3", { class: "section-title" }, t("scenario.in", { region: regionName(data.byCode.get(one.region)), year })),
    h("div", { class: "numbers-row", "data-region": one.region }, cell(t("scenario.stays"), one.stays), cell(t("scenario.inflow"), one.inflow.difference), cell(t("scenario.net"), one.net_migration.difference)));
  $("#scenario-summary").replaceChildren(...(told.length ? told.map(block) : [h("p", { class: "note" }, t("scenario.nothing"))]));
}

function applicability(data, levers, told, changes) {
  const row = (one, place) => h("li", {},
    h("span", { class: `badge ${one.applicability}` }, t(`applicability.${one.applicability}`)), ` ${changeWords(data, levers, changes[place])}. ${t("scenario.range", seenRange(levers, changes[place]))} `,
    h("span", { class: "note", lang: "en" }, `${one.reason}; nearest: ${nearest(data, one.nearest_seen_case)}`));
  $("#scenario-applicability").replaceChildren(...told.changes.map(row));
}

// The service names regions by their codes.
const nearest = (data, text) => text.replace(/^\S+/, (code) => data.byCode.get(code)?.name ?? code);
