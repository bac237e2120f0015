// Headline: who arrives, who leaves and how sure that is, in three cards for the year that is looked at.

import { $, h } from "./dom.js";
import { valueAt } from "./data.js";
import { decimal, interval, percent, signed, signedPercent, whole } from "./format.js";
import { get, on, set } from "./state.js";
import { regionName, t } from "./words.js";

const TARGET = "net_migration";
const SHOWN = 3;

export function mountHeadline(data) {
  const draw = () => drawHeadline(data);
  on(["year", "lang"], draw);
  draw();
}

function drawHeadline(data) {
  const year = Number(get("year"));
  const known = data.regions
    .map((region) => ({ region, value: valueAt(data, region.region, TARGET, year) }))
    .filter((one) => one.value.persons !== null)
    .sort((a, b) => b.value.persons - a.value.persons);
  const largest = Math.max(1, ...known.map((one) => Math.max(Math.abs(one.value.persons), Math.abs(one.value.high ?? 0), Math.abs(one.value.low ?? 0))));
  const gains = known.filter((one) => one.value.persons > 0).slice(0, SHOWN);
  const losses = known.filter((one) => one.value.persons < 0).reverse().slice(0, SHOWN);
  $("#headline").textContent = sentence(year, data, gains[0], losses[0]);
  $("#card-gain").replaceChildren(...gains.map((one) => row(one, largest, "gain")));
  $("#card-loss").replaceChildren(...losses.map((one) => row(one, largest, "loss")));
  $("#card-sure").replaceChildren(...sure(data, year, known));
}

function sentence(year, data, gain, loss) {
  if (!gain || !loss) return t("headline.none", { year });
  const put = { year, gain: regionName(gain.region), gained: whole(gain.value.persons), loss: regionName(loss.region), lost: whole(-loss.value.persons) };
  return t(year > data.cutoff ? "headline.forecast" : "headline.past", put);
}

function row({ region, value }, largest, side) {
  const part = (persons) => (100 * Math.abs(persons)) / largest;
  const bar = h("span", { class: `bar ${side}` });
  bar.style.setProperty("width", `${part(value.persons)}%`);
  const reach = value.low === null ? null : h("span", { class: "reach" });
  const ends = [value.low, value.high].map((end) => (Math.sign(end) === Math.sign(value.persons) ? part(end) : 0)).sort((a, b) => a - b);
  reach?.style.setProperty("left", `${ends[0]}%`);
  reach?.style.setProperty("width", `${ends[1] - ends[0]}%`);
  const name = h("button", { type: "button", class: "plain", onclick: () => set({ region: region.region }) }, regionName(region));
  const range = value.low === null ? t(`basis.${value.basis}`) : interval(value.low, value.high, signed);
  const note = value.kind === "forecast" && value.basis === "estimated" ? h("span", { class: "mark" }, t("basis.estimated")) : null;
  return h("li", {}, h("span", { class: "who" }, name), h("span", { class: "how-many" }, signed(value.persons)), h("span", { class: "track", "aria-hidden": "true" }, [bar, reach]), h("span", { class: "range" }, range, " ", note));
}

// Of a forecast: how often past outcomes fell inside, and the skill; of the past: what kind of figures they are.
function sure(data, year, known) {
  const forecast = known.find((one) => one.value.forecast)?.value.forecast;
  if (!forecast) return ofRecord(known);
  const { coverage_measured: coverage, skill } = forecast;
  if (coverage["80"] === null) return [h("p", {}, t("sure.unmeasured"))];
  return [
    h("p", { class: "big" }, percent(coverage["80"])),
    h("p", {}, t("sure.coverage", { cutoffs: coverage.cutoffs })),
    h("p", { class: "range" }, t("sure.skill", { skill: signedPercent(-skill.value), horizon: forecast.horizon })),
  ];
}

function ofRecord(known) {
  const official = known.filter((one) => one.value.basis === "official").length;
  return [h("p", { class: "big" }, known.length ? percent(official / known.length) : "–"), h("p", {}, t("sure.record", { regions: decimal(known.length, 0) }))];
}
