// Legend: what the marks of a chart mean, as words beside small pictures of them.

import { h, s } from "./dom.js";

const DASHES = { dot: "2 3", dash: "5 3", solid: null };
const [WIDTH, HEIGHT] = [24, 14];
const [MIDDLE, CENTRE] = [HEIGHT / 2, WIDTH / 2];

export function legendOf(traces, c) {
  const told = traces.filter((one) => one.name && one.showlegend !== false);
  return told.length > 1 || told.some((one) => one.fill) ? told.map((one) => h("span", { class: "key" }, picture(one, c), one.name)) : [];
}

function picture(trace, c) {
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, trace.type === "bar" ? bar(trace, c) : line(trace));
}

function bar({ marker }, c) {
  const box = { x: 4, y: 1.5, width: 16, height: 11, rx: 2 };
  const stripes = [marker.pattern?.shape ?? ""].flat().every(Boolean) ? [7, 12, 17].map((x) => s("path", { d: `M${x - 3} 12.5 L${x + 3} 1.5`, stroke: c.surface, "stroke-width": 1.6 })) : [];
  return [s("rect", { ...box, fill: marker.color, stroke: marker.line?.color ?? "none", "stroke-width": marker.line?.width ?? 0 }), ...stripes];
}

function line(trace) {
  if (trace.fill) return [s("rect", { x: 1, y: 1, width: WIDTH - 2, height: HEIGHT - 2, rx: 2, fill: trace.fillcolor })];
  const path = trace.mode.includes("lines") ? [s("path", { d: `M1 ${MIDDLE} H${WIDTH - 1}`, stroke: trace.line.color, "stroke-width": trace.line.width, "stroke-dasharray": DASHES[trace.line.dash ?? "solid"] })] : [];
  return [...path, ...(trace.mode.includes("markers") ? [symbol(trace.marker)] : [])];
}

function symbol({ symbol: shape = "circle", color }) {
  const name = Array.isArray(shape) ? shape.at(-1) : shape;
  const paint = name.endsWith("-open") ? { fill: "none", stroke: color, "stroke-width": 1.6 } : { fill: color };
  if (name.startsWith("square")) return s("rect", { x: CENTRE - 4, y: MIDDLE - 4, width: 8, height: 8, ...paint });
  if (name.startsWith("diamond")) return s("path", { d: `M${CENTRE} ${MIDDLE - 5} l5 5 -5 5 -5 -5 z`, ...paint });
  if (name.startsWith("triangle")) return s("path", { d: `M${CENTRE} ${MIDDLE - 5} l5 9 h-10 z`, ...paint });
  return s("circle", { cx: CENTRE, cy: MIDDLE, r: 3.6, ...paint });
}
