// Levers: the sliders of a scenario. A change is region:indicator:amount; amounts are parts or in the unit.

import { $, h, options } from "./dom.js";
import { forecastAt } from "./data.js";
import { decimal, signedDecimal, signedPercent, whole } from "./format.js";
import { get, set, settle } from "./state.js";
import { named, regionName, t, unitName } from "./words.js";

const MOST = 5;

const parsed = (text) => text.split(",").filter(Boolean).map((one) => one.split(":")).map(([region, indicator, amount]) => ({ region, indicator, amount: Number(amount) || 0 }));
const written = (changes) => changes.map((one) => `${one.region}:${one.indicator}:${one.amount}`).join(",");
const leverOf = (levers, indicator) => levers.levers.find((one) => one.indicator === indicator);

// The changes that are asked for, each with its words for the service; those it does not know are left out.
export function changesOf(levers) {
  return parsed(get("changes")).filter((one) => leverOf(levers, one.indicator)?.regions.some((now) => now.region === one.region)).map((one) => {
    const { relative } = leverOf(levers, one.indicator);
    const amount = relative ? Math.round(one.amount * 1000) / 10 : one.amount;
    return { ...one, words: `${amount < 0 ? "-" : "+"}${Math.abs(amount)}${relative ? " %" : ""}` };
  });
}

// What a scenario begins with: a tenth more of the first lever in the region that loses most.
function first(data, levers) {
  const lever = levers.levers[0];
  const net = (now) => forecastAt(data, now.region, "net_migration", levers.years[0])?.quantiles["0.5"] ?? 0;
  const now = [...lever.regions].sort((a, b) => net(a) - net(b))[0];
  return [{ region: now.region, indicator: lever.indicator, amount: lever.relative ? Math.floor(100 * Math.min(0.1, now.most)) / 100 : Math.floor(10 * Math.min(1, now.most)) / 10 }];
}

// Draws the rows; the function that it returns draws them anew.
export function changeRows(data, levers) {
  settle({ changes: written(first(data, levers)) });
  const draw = () => {
    const changes = changesOf(levers);
    $("#levers").replaceChildren(...changes.map((one, place) => row(data, levers, changes, one, place, draw)));
    $("#lever-add").disabled = changes.length >= MOST;
  };
  $("#lever-add").addEventListener("click", () => {
    set({ changes: written([...changesOf(levers), unused(data, levers)]) });
    draw();
    $("#levers").lastElementChild.querySelector("select").focus();
  });
  return draw;
}

function unused(data, levers) {
  const taken = new Set(changesOf(levers).map((one) => `${one.region}:${one.indicator}`));
  for (const lever of levers.levers)
    for (const now of lever.regions) if (!taken.has(`${now.region}:${lever.indicator}`)) return { region: now.region, indicator: lever.indicator, amount: 0 };
  return first(data, levers)[0];
}

function row(data, levers, changes, change, place, draw) {
  const lever = leverOf(levers, change.indicator);
  const now = lever.regions.find((one) => one.region === change.region);
  const put = (patch) => set({ changes: written(changes.map((one, at) => (at === place ? Object.assign(one, patch) : one))) });
  const anew = (patch) => (put({ amount: 0, ...patch }), draw(), $(`#levers > :nth-child(${place + 1}) select`).focus());
  const region = h("select", { "aria-label": t("lever.region"), onchange: (event) => anew({ region: event.target.value }) });
  options(region, lever.regions.map((one) => [one.region, regionName(data.byCode.get(one.region))]), change.region);
  const indicator = h("select", { "aria-label": t("lever.indicator"), onchange: (event) => anew({ indicator: event.target.value, ...known(levers, event.target.value, change.region) }) });
  options(indicator, levers.levers.map((one) => [one.indicator, named("indicator", one.indicator)]), change.indicator);
  const output = h("output", {}, said(lever, change.amount));
  const slider = h("input", { type: "range", ...range(lever, now), value: change.amount, "aria-label": t("lever.change", { indicator: named("indicator", lever.indicator), region: regionName(data.byCode.get(change.region)) }), "aria-valuetext": said(lever, change.amount) });
  slider.addEventListener("input", () => {
    put({ amount: Number(slider.value) });
    output.textContent = said(lever, change.amount);
    slider.setAttribute("aria-valuetext", said(lever, change.amount));
  });
  const away = h("button", { type: "button", class: "small", "aria-label": t("lever.remove"), onclick: () => (set({ changes: written(changes.filter((_, at) => at !== place)) }), draw(), $("#lever-add").focus()) }, "✕");
  const is = t("lever.now", { value: lever.relative || now.value >= 100 ? whole(now.value) : decimal(now.value), unit: unitName(lever.unit, data.model.dataset.name), year: now.year });
  return h("li", { class: "lever" }, region, indicator, h("div", { class: "slide" }, slider, output), away, h("p", { class: "note" }, is));
}

// The region stays where the indicator is known there.
function known(levers, indicator, region) {
  const { regions } = leverOf(levers, indicator);
  return { region: (regions.find((one) => one.region === region) ?? regions[0]).region };
}

// A bit beyond what was seen, so that the guard can be met.
function range(lever, now) {
  const step = lever.relative ? 0.01 : 0.1;
  const rounded = (value) => Math.round(value / step) * step;
  return { min: lever.relative ? Math.max(-0.95, rounded(1.25 * now.least)) : Math.max(-now.value, rounded(1.25 * now.least)), max: rounded(1.25 * now.most), step };
}

// How far a change may go in words, where the region's indicator was ever seen to go.
export function seenRange(levers, { region, indicator }) {
  const lever = leverOf(levers, indicator);
  const { least, most } = lever.regions.find((one) => one.region === region);
  return { low: said(lever, least), high: said(lever, most) };
}

export const amountOf = (levers, change) => said(leverOf(levers, change.indicator), change.amount);

export const isBeyond = (levers, { region, indicator, amount }) => {
  const { least, most } = leverOf(levers, indicator).regions.find((one) => one.region === region);
  return amount < least || amount > most;
};

const said = (lever, amount) => (lever.relative ? signedPercent(amount) : `${signedDecimal(amount)} ${lever.unit === "%" ? t("points") : named("unit", lever.unit)}`);
