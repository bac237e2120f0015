// Export: a chart's numbers as CSV, its picture as PNG.

export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const quoted = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

// columns: [{name}]; rows of raw values. told: {unit, title, source}, which stand in every row, so that they stay with
// the numbers whatever is done to them. With the mark by which spreadsheets know UTF-8.
export function csvOf(columns, rows, told) {
  const names = Object.keys(told);
  const lines = [[...columns.map((column) => column.name), ...names], ...rows.map((row) => [...row, ...names.map((name) => told[name])])];
  return "\uFEFF" + lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

export const saveCsv = (name, columns, rows, told) => save(`${name}.csv`, new Blob([csvOf(columns, rows, told)], { type: "text/csv" }));

// An SVG as PNG, twice its size, on a ground, with a title above, and below what lines say.
export async function savePng(name, svg, { title, lines, ground, text }) {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const copy = svg.cloneNode(true);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const picture = await loaded("data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy)));
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width + 80, height: 2 * height + 120 + 30 * lines.length });
  const pen = canvas.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 40, 90, 2 * width, 2 * height);
  pen.fillStyle = text;
  pen.font = "600 30px system-ui, sans-serif";
  pen.fillText(title, 40, 56, 2 * width);
  pen.font = "20px system-ui, sans-serif";
  lines.forEach((line, place) => pen.fillText(line, 40, 2 * height + 126 + 30 * place, 2 * width));
  canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
}

const loaded = (address) =>
  new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = address;
  });
