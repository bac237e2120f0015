// Places: every region as a bubble where it lies, as large as the persons it is about.

import { s } from "./dom.js";
import { choice } from "./marks.js";
import { get } from "./state.js";
import { shortName } from "./words.js";

const WIDE = { width: 760, edge: 84, least: 5, most: 38, letters: 13 };
const NARROW = { width: 430, edge: 52, least: 5, most: 28, letters: 14 };

export function placeMap(data, shown, c, narrow) {
  const { width, edge, least, most, letters } = narrow ? NARROW : WIDE;
  const at = placed(data.regions, width, edge);
  const largest = Math.max(...shown.map((one) => Math.abs(one.value.persons ?? 0)), 1);
  const radius = (one) => least + most * Math.sqrt(Math.abs(one.value.persons ?? 0) / largest);
  const sorted = [...shown].sort((a, b) => radius(b) - radius(a));
  const marks = sorted.map((one) => choice(one, at(one.region), bubble(one, at(one.region), radius(one), c)));
  const told = sorted.filter((one) => one.region.kind === "city" || radius(one) > (narrow ? 16 : 12) || one.region.region === get("region"));
  const names = told.map((one) => bubbleName(data, one, at(one.region), radius(one), letters, c));
  return { width, height: at.height, marks: [...marks, ...names] };
}

// Where a region is drawn: degrees of longitude are as much narrower as they are at the middle latitude.
function placed(regions, width, edge) {
  const shrink = Math.cos((mean(regions.map((one) => one.latitude)) * Math.PI) / 180);
  const [xs, ys] = [regions.map((one) => one.longitude * shrink), regions.map((one) => -one.latitude)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const scaled = (width - 2 * edge) / (Math.max(...xs) - left || 1);
  const at = (one) => [(one.longitude * shrink - left) * scaled + edge, (-one.latitude - top) * scaled + edge];
  return Object.assign(at, { height: (Math.max(...ys) - top) * scaled + 2 * edge });
}

const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

function bubble(one, [cx, cy], r, c) {
  const chosen = get("region") === one.region.region;
  const edge = { stroke: chosen ? c.text : c.soft, "stroke-width": chosen ? 4 : 1, "stroke-dasharray": one.unsure && !chosen ? "4 3" : null };
  return [s("circle", { cx, cy, r, fill: one.colour, "fill-opacity": 0.9, ...edge }), one.unsure ? s("circle", { cx, cy, r, fill: "url(#hatch)" }) : null];
}

// Above all bubbles, with an edge of the ground's colour.
function bubbleName(data, one, [x, y], r, size, c) {
  const halo = { stroke: c.surface, "stroke-width": 4, "paint-order": "stroke", "pointer-events": "none", "aria-hidden": "true" };
  const weight = one.region.kind === "city" ? 700 : 400;
  return s("text", { x, y: y + r + 14, "text-anchor": "middle", "font-size": size, "font-weight": weight, fill: c.text, ...halo }, shortName(one.region, data.regions));
}
