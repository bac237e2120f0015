// Region: one region's numbers in the year that is looked at.

import { $, h, options } from "./dom.js";
import { inUnit, valueAt } from "./data.js";
import { mountFan } from "./fan.js";
import { amount, interval, unsure } from "./format.js";
import { get, on, set } from "./state.js";
import { regionName, t } from "./words.js";
import { kindOf } from "./years.js";

export function mountRegion(data) {
  $("#region").addEventListener("change", (event) => set({ region: event.target.value }));
  const draw = () => {
    const region = data.byCode.get(get("region"));
    options($("#region"), data.regions.map((one) => [one.region, regionName(one)]), region.region);
    numbers(data, region);
  };
  on(["region", "target", "unit", "year", "lang"], draw);
  draw();
  mountFan(data);
}

function numbers(data, region) {
  const [unit, year] = [get("unit"), Number(get("year"))];
  $("#numbers").replaceChildren(...data.model.targets.map((target) => fact(data, region, target, unit, year)));
  $("#numbers-title").textContent = t("numbers.title", { year, kind: kindOf(data, year), unit: t(`unit.${unit}`) });
}

function fact(data, region, target, unit, year) {
  const value = valueAt(data, region.region, target, year);
  const { value: number, low, high } = inUnit(value, unit);
  const write = (one) => amount(one, unit, target);
  const guessed = value.basis === "estimated" || value.kind === "former";
  const name = h("button", { type: "button", class: "plain what", "aria-pressed": String(get("target") === target), onclick: () => set({ target }) }, t(`target.${target}`));
  return h("div", { class: `fact ${guessed ? "estimated" : "known"}`, "data-target": target },
    h("div", {}, name, h("strong", {}, number === null ? "–" : unsure(write(number), guessed && "estimated"))),
    h("div", {}, h("span", { class: "mark" }, kind(data, value, number)), h("span", { class: "range" }, low === null ? "" : interval(low, high, write))));
}

function kind(data, value, number) {
  if (number === null) return t("kind.none");
  if (value.kind === "former") return `${t("kind.former")}: ${regionName(data.byCode.get(value.former))}`;
  return value.kind === "forecast" ? t(`continues.${value.basis}`) : t(`basis.${value.basis}`);
}
