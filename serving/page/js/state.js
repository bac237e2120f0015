// State: what is looked at. It stands in the address after #, so that a view can be shared.

const DEFAULTS = {
  lang: "", theme: "", target: "net_migration", unit: "rate", year: "", region: "", view: "tiles",
  city: "", direction: "inflow", shape: "", flowyear: "", changes: "", scenarioyear: "", scenariocity: "", beyond: "",
  level: "medium", part: "population", pyramid: "", load: "", score: "net_migration", measure: "out_migration",
};

const listeners = [];
const allowed = {};
let state = read();

// Values that depend on the data: what holds where the address says nothing, or what there is not.
export function settle(defaults, known) {
  Object.assign(DEFAULTS, defaults);
  Object.assign(allowed, known);
  state = read();
}

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = Object.keys(DEFAULTS).filter((key) => asked.has(key) && (allowed[key]?.has(asked.get(key)) ?? true));
  return { ...DEFAULTS, ...Object.fromEntries(known.map((key) => [key, asked.get(key)])) };
}

function hash() {
  const told = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key]);
  return "#" + new URLSearchParams(told).toString();
}

function tell(before) {
  const changed = new Set(Object.keys(state).filter((key) => state[key] !== before[key]));
  for (const { keys, draw } of listeners) if (keys.some((key) => changed.has(key))) draw();
}

export const get = (key) => state[key];

export function set(patch) {
  const before = state;
  state = { ...state, ...Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, String(value)])) };
  history.replaceState(null, "", hash());
  tell(before);
}

// draw is called whenever one of the keys has another value.
export function on(keys, draw) {
  listeners.push({ keys, draw });
}

// Draws everything anew, as for paper.
export const redraw = () => listeners.forEach(({ draw }) => draw());

// prepare is given another state's language, and has fetched its words before anything is drawn.
let prepare = async () => {};
export const beforeLanguage = (fetchWords) => (prepare = fetchWords);

window.addEventListener("hashchange", async () => {
  const before = state;
  const next = read();
  if (next.lang !== before.lang) await prepare(next.lang);
  state = next;
  tell(before);
});
