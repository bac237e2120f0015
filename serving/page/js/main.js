// The page: the first screen at once, the rest below it as it comes.

import { ApiError, hasKey, useKey } from "./api.js";
import { cite } from "./chart.js";
import { load } from "./data.js";
import { $, h, options } from "./dom.js";
import { mountDrivers } from "./drivers.js";
import { mountFlows } from "./flows.js";
import { mountHeadline } from "./headline.js";
import { mountMap } from "./map.js";
import { prepareCharts } from "./plotly.js";
import { preparePrint } from "./print.js";
import { mountProjection } from "./projection.js";
import { mountProof } from "./proof.js";
import { mountRegion } from "./region.js";
import { mountScenario } from "./scenario.js";
import { mountScore } from "./score.js";
import { mountSealed } from "./sealed.js";
import { reason } from "./section.js";
import { mountServed } from "./served.js";
import { beforeLanguage, get, on, set, settle } from "./state.js";
import { applyTheme, isDark, switchTheme } from "./theme.js";
import { followReader, mountWays } from "./ways.js";
import { LANGUAGES, language, t, useLanguage } from "./words.js";
import { mountYears } from "./years.js";

const UNITS = ["rate", "persons"];
const VIEWS = ["tiles", "places"];
const BELOW = [mountDrivers, mountFlows, mountScenario, mountProjection, mountServed, mountScore, mountSealed];

async function start() {
  applyTheme();
  on(["theme"], applyTheme);
  beforeLanguage(useLanguage);
  const loading = load();
  // It is waited for below, once there are words to say what failed.
  loading.catch(() => {});
  await useLanguage(get("lang"));
  mountSwitches();
  mountWays();
  const data = await keyed(loading);
  on(["lang"], () => told(data));
  told(data);
  mountControls(data);
  mountYears(data);
  mountHeadline(data);
  mountMap(data);
  mountRegion(data);
  mountProof(data);
  preparePrint();
  document.body.dataset.ready = "first";
  await Promise.all(BELOW.map((mount) => mount(data)));
  followReader();
  prepareCharts();
  document.body.dataset.ready = "all";
}

// Where the service wants a key, it is asked for and kept until the browser is closed.
async function keyed(loading) {
  try {
    return await loading;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const form = $("#key-form");
    document.body.dataset.ready = "key";
    form.hidden = false;
    $("#key-fault").textContent = hasKey() ? t("key.unknown") : "";
    $("#key").focus();
    await new Promise((resolve) => form.addEventListener("submit", (event) => (event.preventDefault(), resolve()), { once: true }));
    useKey($("#key").value);
    form.hidden = true;
    delete document.body.dataset.ready;
    return keyed(load());
  }
}

function mountSwitches() {
  const names = { kk: ["Қаз", "Қазақша"], ru: ["Рус", "Русский"], en: ["Eng", "English"] };
  const languages = LANGUAGES.map((one) => h("button", { type: "button", class: "small", lang: one, "data-lang": one, "aria-label": names[one][1], title: names[one][1], onclick: () => speak(one) }, names[one][0]));
  $("#languages").replaceChildren(...languages);
  const pressed = () => languages.forEach((one) => one.setAttribute("aria-pressed", one.dataset.lang === language()));
  pressed();
  on(["lang"], pressed);
  $("#theme").addEventListener("click", switchTheme);
  const theme = () => $("#theme").setAttribute("aria-pressed", isDark());
  on(["theme"], theme);
  theme();
}

async function speak(code) {
  await useLanguage(code);
  localStorage.setItem("lang", code);
  set({ lang: code });
}

// The words that depend on the data.
function told(data) {
  const { dataset, cutoff, versions } = data.model;
  const first = dataset.sources[0];
  cite({ short: t("source", { sources: isBureau(first) ? t("bureau.short") : first }), whole: t("source", { sources: sourceName(first) }) });
  $("#place").textContent = t(`country.${dataset.name}`) === `country.${dataset.name}` ? dataset.title : t(`country.${dataset.name}`);
  $("#sources").replaceChildren(...dataset.sources.map((one) => h("li", { lang: sourceName(one) === one && "en" }, sourceName(one))));
  $("#about-data").textContent = t("about.data", { cutoff, version: versions.qonys ?? "–", hash: dataset.sha256.slice(0, 12) });
}

// The Bureau has a name in each language; other sources are told as the dataset names them.
const isBureau = (source) => source.startsWith("Bureau of National Statistics");
const sourceName = (source) => (isBureau(source) ? t("bureau") : source);

function mountControls(data) {
  const years = Array.from({ length: data.lastYear - data.firstYear + 1 }, (_, place) => String(data.firstYear + place));
  const region = (data.regions.find((one) => one.kind === "city") ?? data.regions[0]).region;
  const target = data.model.targets.includes("net_migration") ? "net_migration" : data.model.targets[0];
  const known = { year: years, region: data.regions.map((one) => one.region), target: data.model.targets, unit: UNITS, view: VIEWS };
  settle({ year: String(data.cutoff + Math.min(...data.model.horizons)), region, target }, Object.fromEntries(Object.entries(known).map(([key, values]) => [key, new Set(values)])));
  for (const key of ["target", "unit", "view"]) $(`#${key}`).addEventListener("change", (event) => set({ [key]: event.target.value }));
  const draw = () => {
    options($("#target"), data.model.targets.map((one) => [one, t(`target.${one}`)]), get("target"));
    options($("#unit"), UNITS.map((one) => [one, t(`unit.${one}`)]), get("unit"));
    options($("#view"), VIEWS.map((one) => [one, t(`view.${one}`)]), get("view"));
  };
  on(["target", "unit", "view", "lang"], draw);
  draw();
}

start().catch((error) => {
  document.body.dataset.ready = "fault";
  $("#fault").hidden = false;
  $("#fault").replaceChildren(...reason(t("fault"), error, () => location.reload()));
  if (!(error instanceof ApiError)) throw error;
});
