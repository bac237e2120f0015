// State: what is looked at. It stands in the address after #, so that a view can be shared.

const DEFAULTS = {
  at: "", lang: "", theme: "", target: "net_migration", unit: "rate", year: "", region: "", view: "tiles",
  city: "", direction: "inflow", shape: "", flowyear: "", changes: "", scenarioyear: "", scenariocity: "", beyond: "",
  level: "medium", part: "population", pyramid: "", load: "", score: "net_migration",
};
// Changes that follow each other within this time, as of a slider, are one step back.
const PAUSE_MS = 500;

const listeners = [];
const allowed = {};
let state = read();
let changed = -Infinity;

// Values that depend on the data: what holds where the address says nothing, or what there is not.
export function settle(defaults, known = {}) {
  Object.assign(DEFAULTS, defaults);
  Object.assign(allowed, known);
  state = read();
}

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = Object.keys(DEFAULTS).filter((key) => asked.has(key) && (allowed[key]?.has(asked.get(key)) ?? true));
  return { ...DEFAULTS, ...Object.fromEntries(known.map((key) => [key, asked.get(key)])) };
}

function address() {
  const told = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key]);
  return told.length ? "#" + new URLSearchParams(told).toString() : location.pathname;
}

const isTold = () => address() === (location.hash || location.pathname);

function tell(before) {
  const keys = new Set(Object.keys(state).filter((key) => state[key] !== before[key]));
  for (const one of listeners) if (one.keys.some((key) => keys.has(key))) one.draw();
}

export const get = (key) => state[key];

export function set(patch) {
  const before = state;
  state = { ...state, ...Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, String(value)])) };
  if (!isTold()) {
    const again = performance.now() - changed < PAUSE_MS;
    history[again ? "replaceState" : "pushState"](null, "", address());
    changed = performance.now();
  }
  tell(before);
}

// Where the reader is: stands in the address, is no step back, and draws nothing.
export function note(at) {
  state = { ...state, at };
  if (!isTold()) history.replaceState(null, "", address());
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
