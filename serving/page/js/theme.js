// Light and dark: as the system has it, or as chosen; and the colours in which charts are drawn.

import { get, set } from "./state.js";

const NAMES = [
  "text", "soft", "faint", "line", "surface", "page", "accent", "accent-2", "gain-1", "gain-2", "gain-3", "loss-1",
  "loss-2", "loss-3", "middle", "warn", "series-1", "series-2", "series-3", "series-4",
];

export const isDark = () =>
  (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export const isPrinting = () => document.documentElement.classList.contains("printing");

export function applyTheme() {
  const chosen = isPrinting() ? "light" : get("theme") || localStorage.getItem("theme") || "";
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

export function switchTheme() {
  const chosen = isDark() ? "light" : "dark";
  localStorage.setItem("theme", chosen);
  set({ theme: chosen });
}

const kept = {};

// Colours as they are now, by name, as rgb(r, g, b).
export function colours() {
  return (kept[isDark()] ??= asked());
}

function asked() {
  const probe = document.body.appendChild(document.createElement("i"));
  // Where the system forces its own colours, pictures keep theirs: they tell something.
  probe.style.forcedColorAdjust = "none";
  const found = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

export const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
export const faded = (colour, alpha) => `rgba(${channels(colour).join(",")},${alpha})`;

function mixed(from, to, part) {
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((one, place) => Math.round(one + (b[place] - one) * part)).join(",")})`;
}

function along(stops, part) {
  const at = Math.min(Math.max(part, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return mixed(stops[low], stops[low + 1], at - low);
}

// From a part of the scale, -1 to 1, to a colour; scales of counts use 0 to 1.
export function scale(target, part, c) {
  if (target === "out_migration") return along([c.middle, c["loss-1"], c["loss-2"], c["loss-3"]], part);
  const gain = [c.middle, c["gain-1"], c["gain-2"], c["gain-3"]];
  if (target === "inflow" || part >= 0) return along(gain, part);
  return along([c.middle, c["loss-1"], c["loss-2"], c["loss-3"]], -part);
}

// Black or white, whichever is read better on a colour (WCAG's relative luminance).
export function ink(colour) {
  const [r, g, b] = channels(colour).map((one) => one / 255).map((one) => (one <= 0.04 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#101418" : "#ffffff";
}
