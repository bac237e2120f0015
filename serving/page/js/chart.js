// Chart: a figure with its picture, its numbers as a table, and both to take away.

import { h } from "./dom.js";
import { save, saveCsv } from "./export.js";
import { legendOf } from "./legend.js";
import { inTurn, layoutOf, plotlyOf, wrapped } from "./plotly.js";
import { colours, isPrinting } from "./theme.js";
import { t } from "./words.js";

const [HEIGHT, NEAR] = [300, "600px"];
// Paper is finer than a screen.
const ON_PAPER = 0.8;
// Of a picture that is taken away, in pixels.
const [WIDTH, HEAD, FOOT] = [900, 90, 130];

let sources = { short: "", whole: "" };
export const cite = (told) => (sources = told);
export const sourceOf = (length) => sources[length];

const charts = new Set();

export class Chart {
  // name: of the files. host: an empty element. level: of the heading.
  constructor(host, name, level = 3) {
    this.name = name;
    this.title = h(`h${level}`, { id: `chart-${name}-title`, class: "chart-title" });
    this.csv = h("button", { type: "button", class: "small", onclick: () => this.saveCsv() }, "CSV");
    this.png = h("button", { type: "button", class: "small", onclick: () => this.savePng() }, "PNG");
    this.note = h("p", { class: "note", id: `chart-${name}-note` });
    this.plot = h("div", { class: "plot", role: "img", "aria-labelledby": `chart-${name}-title`, "aria-describedby": `chart-${name}-note` });
    this.legend = h("div", { class: "legend" });
    this.summary = h("summary");
    this.table = h("table");
    this.scroll = h("div", { class: "scroll", tabindex: 0, role: "region" }, this.table);
    this.details = h("details", { class: "figures" }, this.summary, this.scroll);
    this.caption = h("figcaption");
    const head = h("div", { class: "chart-head" }, this.title, h("div", { class: "tools" }, this.csv, this.png));
    host.replaceChildren(h("figure", { class: "chart", "aria-labelledby": `chart-${name}-title` }, head, this.note, this.plot, this.legend, this.details, this.caption));
    this.near = new Promise((resolve) => seen(this.plot, resolve));
    charts.add(this);
  }

  // told: title, note, unit, about, traces, layout, height; columns [{name, label, write}], rows of raw values.
  // Numbers and words are there at once; the picture comes when it is near to be seen.
  show(told) {
    this.told = told;
    this.words(told);
    fill(this.table, told);
    this.plot.style.height = `${this.height}px`;
    this.legend.replaceChildren(...legendOf(told.traces, colours()));
    if (isPrinting()) return this.draw();
    this.near.then(() => inTurn(() => told === this.told && this.draw()));
  }

  async draw() {
    const { told } = this;
    // A printer does not wait: what is not here yet goes on paper as a table.
    const plotly = isPrinting() ? window.Plotly : await plotlyOf();
    if (told !== this.told) return;
    this.plot.hidden = this.legend.hidden = this.png.hidden = !plotly;
    this.details.open ||= !plotly;
    const layout = { ...layoutOf(colours(), told.layout), height: this.height, width: this.plot.clientWidth || undefined };
    await plotly?.react(this.plot, told.traces, layout, { displayModeBar: false });
  }

  words({ title, note = "" }) {
    this.title.textContent = title;
    this.note.textContent = note;
    this.summary.textContent = t("table");
    this.scroll.setAttribute("aria-label", t("table.of", { title }));
    this.csv.setAttribute("aria-label", t("save.csv", { title }));
    this.png.setAttribute("aria-label", t("save.png", { title }));
    this.caption.textContent = sources.short;
  }

  get height() {
    return (this.told.height ?? HEIGHT) * (isPrinting() ? ON_PAPER : 1);
  }

  get file() {
    return ["qonys", this.name, ...(this.told.about ?? [])].join("-");
  }

  saveCsv() {
    const { columns, rows, unit, title } = this.told;
    saveCsv(this.file, columns, rows, { unit, title, source: sources.whole });
  }

  async savePng() {
    const plotly = await plotlyOf();
    const { title, traces, height = HEIGHT } = this.told;
    const c = colours();
    const given = layoutOf(c, this.told.layout);
    const size = { width: WIDTH, height: height + HEAD + FOOT };
    const words = (text, y, shift, anchor, font) => ({ text, x: 0, y, yshift: shift, xref: "paper", yref: "paper", xanchor: "left", yanchor: anchor, showarrow: false, align: "left", font: { color: c.text, ...font } });
    const legend = { orientation: "h", traceorder: "normal", x: 0, y: 0, yanchor: "top", yref: "paper", font: { size: 12, color: c.soft } };
    const layout = { ...given, ...size, showlegend: this.legend.childElementCount > 0, margin: { l: 60, r: 40, t: HEAD, b: FOOT }, legend: { ...legend, y: -48 / height } };
    layout.annotations = [...(given.annotations ?? []), words(wrapped(title, 84), 1, 18, "bottom", { size: 18, weight: 600 }), words(wrapped(sources.whole, 135), 0, 14 - FOOT, "bottom", { size: 11, color: c.soft })];
    const address = await plotly.toImage({ data: traces, layout }, { format: "png", ...size, scale: 2 });
    save(`${this.file}.png`, blobOf(address));
  }
}

const watched = new WeakMap();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) watched.get(target)?.(), watcher.unobserve(target);
}, { rootMargin: NEAR });

// Calls resolve once, when the element is near to be seen.
function seen(element, resolve) {
  watched.set(element, resolve);
  watcher.observe(element);
}

// Widths follow the window.
let resized;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    for (const chart of charts) if (chart.plot.data && !isPrinting()) inTurn(() => chart.draw());
  }, 150);
});

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
