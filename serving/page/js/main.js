// The page: the first screen at once, the rest below it as it comes.

import { ApiError, useKey } from "./api.js";
import { cite } from "./chart.js";
import { load } from "./data.js";
import { $, h, options } from "./dom.js";
import { mountDrivers } from "./drivers.js";
import { mountFlows } from "./flows.js";
import { mountHeadline } from "./headline.js";
import { mountMap } from "./map.js";
import { preparePrint } from "./print.js";
import { mountProjection } from "./projection.js";
import { mountRegion } from "./region.js";
import { mountScenario } from "./scenario.js";
import { mountScore } from "./score.js";
import { mountServed } from "./served.js";
import { beforeLanguage, get, on, set, settle } from "./state.js";
import { applyTheme, isDark, switchTheme } from "./theme.js";
import { LANGUAGES, language, t, useLanguage } from "./words.js";

const UNITS = ["rate", "persons"];
const VIEWS = ["tiles", "places"];

async function start() {
  applyTheme();
  on(["theme"], applyTheme);
  beforeLanguage(useLanguage);
  await useLanguage(get("lang"));
  mountSwitches();
  const data = await loaded();
  on(["lang"], () => told(data));
  told(data);
  mountControls(data);
  mountHeadline(data);
  mountMap(data);
  mountRegion(data);
  document.body.dataset.ready = "first";
  await Promise.all([mountDrivers, mountFlows, mountScenario, mountProjection, mountServed, mountScore].map((mount) => mount(data)));
  preparePrint();
  document.body.dataset.ready = "all";
}

// Where the service wants a key, it is asked for once and kept until the browser is closed.
async function loaded() {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const form = $("#key-form");
    form.hidden = false;
    await new Promise((resolve) => form.addEventListener("submit", (event) => (event.preventDefault(), resolve()), { once: true }));
    useKey($("#key").value);
    form.hidden = true;
    return loaded();
  }
}

function mountSwitches() {
  const languages = LANGUAGES.map((one) => h("button", { type: "button", lang: one, "data-lang": one, onclick: () => speak(one) }, { kk: "Қазақша", ru: "Русский", en: "English" }[one]));
  $("#languages").replaceChildren(...languages);
  const pressed = () => languages.forEach((one) => one.setAttribute("aria-pressed", one.dataset.lang === language()));
  pressed();
  on(["lang"], pressed);
  $("#theme").addEventListener("click", switchTheme);
  const theme = () => $("#theme").setAttribute("aria-pressed", isDark());
  on(["theme"], theme);
  theme();
  for (const link of document.querySelectorAll("a[href^='#']")) link.addEventListener("click", go);
}

async function speak(code) {
  await useLanguage(code);
  localStorage.setItem("lang", code);
  set({ lang: code });
}

// Links within the page leave the address alone: what stands after # is what is looked at.
function go(event) {
  event.preventDefault();
  const section = $(event.currentTarget.getAttribute("href"));
  section.scrollIntoView();
  section.focus({ preventScroll: true });
}

// The words that depend on the data.
function told(data) {
  const { dataset, cutoff, versions } = data.model;
  cite(t("source", { sources: sourceName(dataset.sources[0]) }));
  $("#place").textContent = t(`country.${dataset.name}`) === `country.${dataset.name}` ? dataset.title : t(`country.${dataset.name}`);
  $("#sources").replaceChildren(...dataset.sources.map((one) => h("li", { lang: sourceName(one) === one && "en" }, sourceName(one))));
  $("#about-data").textContent = t("about.data", { cutoff, version: versions.qonys ?? "–", hash: dataset.sha256.slice(0, 12) });
}

// The Bureau has a name in each language; other sources are told as the dataset names them.
const sourceName = (source) => (source.startsWith("Bureau of National Statistics") ? t("bureau") : source);

function mountControls(data) {
  const years = Array.from({ length: data.lastYear - data.firstYear + 1 }, (_, place) => String(data.firstYear + place));
  const region = (data.regions.find((one) => one.kind === "city") ?? data.regions[0]).region;
  const known = { year: years, region: data.regions.map((one) => one.region), target: data.model.targets, unit: UNITS, view: VIEWS };
  settle({ year: String(data.cutoff + Math.min(...data.model.horizons)), region, target: data.model.targets.includes("net_migration") ? "net_migration" : data.model.targets[0] }, Object.fromEntries(Object.entries(known).map(([key, values]) => [key, new Set(values)])));
  const slider = $("#year");
  Object.assign(slider, { min: data.firstYear, max: data.lastYear });
  slider.addEventListener("input", () => set({ year: slider.value }));
  $("#year-back").addEventListener("click", () => set({ year: Math.max(data.firstYear, Number(get("year")) - 1) }));
  $("#year-on").addEventListener("click", () => set({ year: Math.min(data.lastYear, Number(get("year")) + 1) }));
  for (const key of ["target", "unit", "view"]) $(`#${key}`).addEventListener("change", (event) => set({ [key]: event.target.value }));
  const draw = () => drawControls(data, slider);
  on(["year", "target", "unit", "view", "lang"], draw);
  draw();
}

function drawControls(data, slider) {
  const year = Number(get("year"));
  const kind = t(year > data.cutoff ? "year.forecast" : "year.past");
  slider.value = year;
  slider.setAttribute("aria-valuetext", `${year}, ${kind}`);
  slider.style.setProperty("--cut", `${(100 * (data.cutoff + 0.5 - data.firstYear)) / (data.lastYear - data.firstYear)}%`);
  $("#year-now").replaceChildren(h("strong", {}, year), ` ${kind}`);
  options($("#target"), data.model.targets.map((one) => [one, t(`target.${one}`)]), get("target"));
  options($("#unit"), UNITS.map((one) => [one, t(`unit.${one}`)]), get("unit"));
  options($("#view"), VIEWS.map((one) => [one, t(`view.${one}`)]), get("view"));
}

start().catch((error) => {
  $("#fault").hidden = false;
  $("#fault").textContent = `${t("fault")} ${error.message}`;
  throw error;
});
