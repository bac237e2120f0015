// Years: the slider through past and forecast, and the years played one after the other.

import { $, h } from "./dom.js";
import { get, on, set } from "./state.js";
import { t } from "./words.js";

const STEP_MS = 900;

export function mountYears(data) {
  const slider = Object.assign($("#year"), { min: data.firstYear, max: data.lastYear });
  const go = (year) => set({ year: Math.min(data.lastYear, Math.max(data.firstYear, year)) });
  const playing = player(data, go);
  slider.addEventListener("input", () => (playing.stop(), go(Number(slider.value))));
  $("#year-back").addEventListener("click", () => (playing.stop(), go(Number(get("year")) - 1)));
  $("#year-on").addEventListener("click", () => (playing.stop(), go(Number(get("year")) + 1)));
  $("#year-play").addEventListener("click", playing.turn);
  const draw = () => drawYears(data, slider);
  on(["year", "lang"], draw);
  draw();
}

export const kindOf = (data, year) => t(year > data.cutoff ? "year.forecast" : "year.past");

function drawYears(data, slider) {
  const year = Number(get("year"));
  const place = (at) => `${(100 * (at - data.firstYear)) / (data.lastYear - data.firstYear)}%`;
  slider.value = year;
  slider.setAttribute("aria-valuetext", `${year}, ${kindOf(data, year)}`);
  slider.style.setProperty("--cut", place(data.cutoff + 0.5));
  $("#year-now").replaceChildren(h("strong", {}, year), ` ${kindOf(data, year)}`);
  $("#year-ends").replaceChildren(h("span", {}, data.firstYear), h("span", {}, `${data.cutoff + 1}–${data.lastYear}`, h("span", { class: "wide" }, `: ${t("year.forecast")}`)));
}

// From the year that is shown to the last; from the first where it is the last that is shown.
function player(data, go) {
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    $("#year-play").setAttribute("aria-pressed", "false");
  };
  const step = () => {
    const year = Number(get("year"));
    if (year >= data.lastYear) return stop();
    go(year + 1);
  };
  const turn = () => {
    if (timer) return stop();
    if (Number(get("year")) >= data.lastYear) go(data.firstYear);
    timer = setInterval(step, STEP_MS);
    $("#year-play").setAttribute("aria-pressed", "true");
  };
  return { stop, turn };
}
