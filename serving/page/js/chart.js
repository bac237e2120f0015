// Chart: a figure with its picture, its numbers as a table, and both to take away. Drawn by plotly.

import { h } from "./dom.js";
import { save, saveCsv } from "./export.js";
import { compact, separators } from "./format.js";
import { colours, isPrinting } from "./theme.js";
import { t } from "./words.js";

// Width of a chart on A4, in pixels.
const PAPER = 660;

let plotly;

// Plotly's script, fetched once the first screen stands. null where the service has none: tables are shown then.
function plotlyOf() {
  plotly ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = new URL("../plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => resolve(null);
    document.head.append(script);
  });
  return plotly;
}

let source = "";
export const cite = (text) => (source = text);
export const sourceLine = () => source;

export function layoutOf(c, given = {}) {
  const axis = { gridcolor: c.line, linecolor: c.line, zerolinecolor: c.faint, automargin: true, fixedrange: true, tickangle: 0, tickfont: { color: c.soft } };
  return {
    paper_bgcolor: c.surface, plot_bgcolor: c.surface, separators: separators(),
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", size: 13, color: c.text },
    margin: { l: 8, r: 12, t: 8, b: 8 }, hovermode: "closest", dragmode: false,
    hoverlabel: { bgcolor: c.surface, bordercolor: c.faint, font: { color: c.text } },
    legend: { orientation: "h", traceorder: "normal", y: -0.16, x: 0, font: { size: 12, color: c.soft } },
    ...given, xaxis: { ...axis, ...given.xaxis }, yaxis: { ...axis, ...given.yaxis },
  };
}

export class Chart {
  // name: of the files. host: an empty element.
  constructor(host, name) {
    this.name = name;
    this.title = h("h3", { id: `${name}-title`, class: "chart-title" });
    this.csv = h("button", { type: "button", class: "small", onclick: () => this.saveCsv() }, "CSV");
    this.png = h("button", { type: "button", class: "small", onclick: () => this.savePng() }, "PNG");
    this.note = h("p", { class: "note", id: `${name}-note` });
    this.plot = h("div", { class: "plot", role: "img", "aria-labelledby": `${name}-title`, "aria-describedby": `${name}-note` });
    this.summary = h("summary");
    this.table = h("table");
    this.scroll = h("div", { class: "scroll", tabindex: 0, role: "region" }, this.table);
    this.details = h("details", { class: "numbers" }, this.summary, this.scroll);
    this.caption = h("figcaption");
    const head = h("div", { class: "chart-head" }, this.title, h("div", { class: "tools" }, this.csv, this.png));
    host.replaceChildren(h("figure", { class: "chart" }, head, this.note, this.plot, this.details, this.caption));
  }

  // told: title, note, traces, layout, height; columns [{name, label, write}], rows of raw values.
  async show(told) {
    this.told = told;
    this.words(told);
    fill(this.table, told);
    const drawing = await plotlyOf();
    if (told !== this.told) return;
    this.details.open ||= !drawing;
    this.plot.hidden = this.png.hidden = !drawing;
    const layout = { ...layoutOf(colours(), told.layout), height: told.height ?? 320, ...(isPrinting() ? { width: PAPER } : {}) };
    await drawing?.react(this.plot, told.traces, layout, { displayModeBar: false, responsive: true });
  }

  words({ title, note = "" }) {
    this.title.textContent = title;
    this.note.textContent = note;
    this.summary.textContent = t("table");
    this.scroll.setAttribute("aria-label", t("table.of", { title }));
    this.csv.setAttribute("aria-label", t("save.csv", { title }));
    this.png.setAttribute("aria-label", t("save.png", { title }));
    this.caption.textContent = source;
  }

  saveCsv() {
    saveCsv(`qonys-${this.name}`, this.told.columns, this.told.rows);
  }

  async savePng() {
    const { title, traces, height = 320 } = this.told;
    const c = colours();
    const given = layoutOf(c, this.told.layout);
    const words = (text, y, size, anchor, weight) => ({ text, x: 0, y, xref: "paper", yref: "paper", xanchor: "left", yanchor: anchor, showarrow: false, align: "left", font: { size, weight, color: c.text } });
    const layout = { ...given, width: 900, height: height + 120, margin: { l: 60, r: 40, t: 70, b: 110 } };
    layout.annotations = [...(given.annotations ?? []), words(wrapped(title, 90), 1.04, 18, "bottom", 600), words(wrapped(source, 115), -0.3, 11, "top", 400)];
    const address = await window.Plotly.toImage({ data: traces, layout }, { format: "png", width: 900, height: height + 120, scale: 2 });
    save(`qonys-${this.name}.png`, blobOf(address));
  }
}

// Ticks of large amounts in the language's short form, from 0.
export function shortTicks(values) {
  const most = Math.max(...values.filter((one) => one !== null));
  const size = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((one) => one * size).find((one) => most / one <= 6);
  const tickvals = Array.from({ length: Math.floor((1.1 * most) / step) + 1 }, (_, place) => place * step);
  return { tickvals, ticktext: tickvals.map(compact), rangemode: "tozero" };
}

export const isNarrow = () => matchMedia("(max-width: 640px)").matches;

// Words in lines of about so many letters, for the labels of an axis.
export function wrapped(text, letters = 16) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1) && `${lines.at(-1)} ${word}`.length > letters) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  return lines.map(escaped).join("<br>");
}

// How bars of estimates look: striped.
export const striped = (c) => ({ shape: "/", size: 6, solidity: 0.35, fillmode: "overlay", fgcolor: c.surface, fgopacity: 0.65 });

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// A data: address as bytes; fetch() may not read one, as the page connects to its own service only.
function blobOf(address) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (one) => one.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

export function fill(table, { title, columns, rows }) {
  const head = h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.write && "number" }, column.label)));
  const cell = (column, value, place) =>
    place ? h("td", { class: column.write && "number" }, column.write ? column.write(value) : (value ?? "–")) : h("th", { scope: "row" }, column.write ? column.write(value) : value);
  const body = rows.map((row) => h("tr", {}, row.map((value, place) => cell(columns[place], value, place))));
  table.replaceChildren(h("caption", { class: "unseen" }, title), h("thead", {}, head), h("tbody", {}, body));
}
