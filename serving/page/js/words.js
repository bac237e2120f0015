// Words in the reader's language, and the names of regions in it.

export const LANGUAGES = ["kk", "ru", "en"];
let words = {};
let spoken = "en";

export const language = () => spoken;

// The language that is asked for, else the first of the browser's that there is, else English.
function wanted(asked) {
  const codes = [asked, localStorage.getItem("lang"), ...navigator.languages];
  return codes.map((one) => (one ?? "").slice(0, 2)).find((one) => LANGUAGES.includes(one)) ?? "en";
}

const wordsOf = async (code) => (await fetch(new URL(`../words/${code}.json`, import.meta.url))).json();

// Words come over the network, so this ends before anything is drawn in another language.
export async function useLanguage(asked) {
  const code = wanted(asked);
  words = await wordsOf(code);
  spoken = code;
  document.documentElement.lang = code;
  document.title = t("title");
  document.querySelector("meta[name=description]").content = t("description");
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const one of document.querySelectorAll("[data-t-label]")) one.setAttribute("aria-label", t(one.dataset.tLabel));
}

// The words of a key with what stands in {braces} put in.
export function t(key, put = {}) {
  const told = words[key] ?? key;
  return told.replace(/\{(\w+)\}/g, (whole, name) => put[name] ?? whole);
}

// The words of a key, or, where there are none, what the service calls it.
export function named(kind, name) {
  const key = `${kind}.${name}`;
  return words[key] ?? name.replaceAll("_", " ");
}

// A country's own money has its name.
export function unitName(unit, dataset) {
  const own = `${dataset}.${unit}`;
  return words[`unit.${own}`] ? named("unit", own) : named("unit", unit);
}

export function regionName(region) {
  if (!region) return "";
  const told = { ru: region.name_ru, kk: region.name_kk }[language()] ?? region.name;
  return told.replace(/^г\. /, "");
}

// Without the word for "region", where no other region is called so.
export function shortName(region, all) {
  const whole = regionName(region);
  const bare = whole.replace(/^область | (область|облысы|region)$/g, "");
  return all.some((other) => other.region !== region.region && regionName(other) === bare) ? whole : bare;
}
