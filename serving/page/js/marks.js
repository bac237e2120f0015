// Marks: regions on a map as things to choose, by mouse, finger or keys.

import { s } from "./dom.js";
import { get, set } from "./state.js";
import { t } from "./words.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The map around its marks: one of them can be chosen.
export function frame({ width, height, marks }, c) {
  const hatch = s("pattern", { id: "hatch", width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    s("rect", { width: 1.6, height: 9, fill: c.text, "fill-opacity": 0.17 }));
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "radiogroup", "aria-label": t("map.regions"), "font-family": "system-ui, sans-serif" }, s("defs", {}, hatch), marks);
  svg.addEventListener("keydown", steps);
  return svg;
}

// at: where it lies, for the arrow keys.
export function choice(one, at, shapes) {
  const chosen = get("region") === one.region.region;
  const mark = s("g", { role: "radio", tabindex: chosen ? 0 : -1, "aria-checked": chosen, "aria-label": one.label, "data-region": one.region.region, "data-x": at[0], "data-y": at[1], class: "tile" },
    s("title", {}, one.label), shapes);
  mark.addEventListener("click", () => set({ region: one.region.region }));
  return mark;
}

function steps(event) {
  const here = event.target.closest("[data-region]");
  if (!here) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    set({ region: here.dataset.region });
  }
  const way = ARROWS[event.key];
  if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const next = nearest(here, [...this.querySelectorAll("[data-region]")], way);
  if (next) set({ region: next.dataset.region });
}

function nearest(here, all, [dx, dy]) {
  const away = (one) => {
    const [x, y] = [one.dataset.x - here.dataset.x, one.dataset.y - here.dataset.y];
    const [along, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
    return along > 0 ? along + 2 * aside : Infinity;
  };
  const next = all.reduce((best, one) => (away(one) < away(best) ? one : best), here);
  return next === here ? null : next;
}
