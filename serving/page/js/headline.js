// Headline: the main thing in one sentence, who gains and who loses most, and how sure that is.

import { $, h } from "./dom.js";
import { valueAt } from "./data.js";
import { about, decimal, interval, percent, signed, signedPercent, whole } from "./format.js";
import { get, on, set } from "./state.js";
import { named, regionName, t } from "./words.js";

const TARGET = "net_migration";
const SHOWN = 4;

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
  const largest = Math.max(1, ...known.flatMap(({ value }) => [value.persons, value.high ?? 0, value.low ?? 0].map(Math.abs)));
  const gains = known.filter((one) => one.value.persons > 0).slice(0, SHOWN);
  const losses = known.filter((one) => one.value.persons < 0).reverse().slice(0, SHOWN);
  sentence(data, year, gains[0], losses[0]);
  $("#card-gain").replaceChildren(...gains.map((one) => row(one, largest, "gain")));
  $("#card-loss").replaceChildren(...losses.map((one) => row(one, largest, "loss")));
  $("#card-sure").replaceChildren(...sure(data, known));
}

// A forecast is said in round numbers, with its interval; what was recorded is said as it was.
function sentence(data, year, gain, loss) {
  const ahead = year > data.cutoff;
  const write = (persons) => whole(ahead ? about(persons) : persons);
  const put = { year, cutoff: data.cutoff };
  if (!gain || !loss) $("#headline").textContent = t("headline.none", put);
  else $("#headline").textContent = t(ahead ? "headline.forecast" : "headline.past", { ...put, gain: regionName(gain.region), gained: write(gain.value.persons), loss: regionName(loss.region), lost: write(-loss.value.persons) });
  if (!ahead || !gain || !loss) return ($("#lede").textContent = t("lede.past", put));
  const range = ({ region, value }) => t("lede.range", { region: regionName(region), low: signed(about(value.low)), high: signed(about(value.high)) });
  $("#lede").textContent = t("lede.forecast", { ...put, gain: range(gain), loss: range(loss) });
}

function row({ region, value }, largest, side) {
  const part = (persons) => (100 * Math.abs(persons)) / largest;
  const bar = h("span", { class: `bar ${side}${value.basis === "estimated" ? " estimated" : ""}` });
  bar.style.setProperty("width", `${part(value.persons)}%`);
  const reach = value.low === null ? null : h("span", { class: "reach" });
  const ends = [value.low, value.high].map((end) => (Math.sign(end) === Math.sign(value.persons) ? part(end) : 0)).sort((a, b) => a - b);
  reach?.style.setProperty("left", `${ends[0]}%`);
  reach?.style.setProperty("width", `${ends[1] - ends[0]}%`);
  const name = h("button", { type: "button", class: "plain", onclick: () => set({ region: region.region }) }, regionName(region));
  const range = value.low === null ? t(`basis.${value.basis}`) : interval(value.low, value.high, signed);
  const note = value.low !== null && value.basis === "estimated" ? h("span", { class: "mark" }, t("basis.estimated")) : null;
  return h("li", {}, name, h("span", { class: "how-many" }, signed(value.persons)), h("span", { class: "track", "aria-hidden": "true" }, [bar, reach]), h("span", { class: "range" }, range, note ? [" ", note] : null));
}

// Of a forecast: how often past outcomes fell inside, and the skill; of the past: what kind of figures they are.
function sure(data, known) {
  const forecast = known.find((one) => one.value.forecast)?.value.forecast;
  if (!forecast) return ofRecord(known);
  const { coverage_measured: coverage, skill } = forecast;
  if (coverage["80"] === null) return [h("p", {}, t("sure.unmeasured"))];
  return [
    h("p", {}, h("strong", { class: "big" }, percent(coverage["80"])), " ", t("sure.coverage", { cutoffs: coverage.cutoffs })),
    h("p", { class: "range" }, t("sure.skill", { model: named("model", forecast.model), skill: signedPercent(-skill.value), horizon: forecast.horizon })),
  ];
}

function ofRecord(known) {
  const official = known.filter((one) => one.value.basis === "official").length;
  return [h("p", {}, h("strong", { class: "big" }, known.length ? percent(official / known.length) : "–"), " ", t("sure.record", { regions: decimal(known.length, 0) }))];
}
