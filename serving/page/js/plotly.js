// Plotly: its script, how charts look in it, and one drawing after the other, so that the page stays quick meanwhile.

import { compact, separators } from "./format.js";

let script;

// Fetched when the first chart comes into sight. null where the service has none: tables are shown then.
export function plotlyOf() {
  script ??= new Promise((resolve) => {
    const element = document.createElement("script");
    element.src = new URL("../plotly.min.js", import.meta.url);
    // To run it takes long enough: what is drawn with it waits for a task of its own.
    element.onload = () => setTimeout(() => resolve(window.Plotly));
    element.onerror = () => resolve(null);
    document.head.append(element);
  });
  return script;
}

// Ahead of need where there is room for it, so that a printer, which does not wait, gets pictures.
export function prepareCharts() {
  if (!isNarrow() && !navigator.connection?.saveData) setTimeout(plotlyOf, 500);
}

let last = Promise.resolve();

// Does the work after all that waits already, each in a task of its own.
export function inTurn(work) {
  last = last.then(() => new Promise((resolve) => setTimeout(resolve))).then(work).catch(reportError);
  return last;
}

export const isNarrow = () => matchMedia("(max-width: 640px)").matches;

export function layoutOf(c, given = {}) {
  const axis = { gridcolor: c.line, linecolor: c.line, zerolinecolor: c.faint, automargin: true, fixedrange: true, tickangle: 0, tickfont: { color: c.soft } };
  return {
    paper_bgcolor: c.surface, plot_bgcolor: c.surface, separators: separators(), showlegend: false,
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", size: 13, color: c.text },
    margin: { l: 8, r: 12, t: 8, b: 8 }, hovermode: "closest", dragmode: false,
    hoverlabel: { bgcolor: c.surface, bordercolor: c.faint, font: { color: c.text } },
    ...given, xaxis: { ...axis, ...(isNarrow() ? { nticks: 5 } : {}), ...given.xaxis }, yaxis: { ...axis, ...given.yaxis },
  };
}

// Ticks of large amounts in the language's short form, from 0.
export function shortTicks(values) {
  const most = Math.max(...values.filter((one) => one !== null));
  const size = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((one) => one * size).find((one) => most / one <= 6);
  const tickvals = Array.from({ length: Math.floor((1.1 * most) / step) + 1 }, (_, place) => place * step);
  return { tickvals, ticktext: tickvals.map(compact), rangemode: "tozero" };
}

// Words in lines of about so many letters, for the labels of an axis.
export function wrapped(text, letters = 16) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1) && `${lines.at(-1)} ${word}`.length > letters) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  return lines.map(escaped).join("<br>");
}

// How bars of estimates and assumptions look: striped.
export const striped = (c) => ({ shape: "/", size: 6, solidity: 0.35, fillmode: "overlay", fgcolor: c.surface, fgopacity: 0.65 });

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
