// Data: what the first screen needs, and a value of a region, target and year.

import { fetchOf, post } from "./api.js";

export async function load() {
  const asked = fetchOf("/model");
  const [model, regions, history, forecasts, projected] = await Promise.all([
    asked, fetchOf("/regions"), fetchOf("/history"), asked.then((model) => Promise.all(model.targets.map((target) => post("/forecast", { target })))), asked.then(projection),
  ]);
  const data = {
    model,
    history,
    cutoff: model.cutoff,
    regions: regions.regions,
    byCode: new Map([...history.regions, ...regions.regions].map((one) => [one.region, one])),
    scopes: Object.fromEntries(forecasts.map((one) => [one.target, one.scope])),
    past: pastOf(history),
    forecasts: new Map(forecasts.map((one) => [one.target, byRegion(one.forecasts)])),
    population: new Map(history.regions.map((one) => [one.region, one.population])),
  };
  addProjected(data.population, projected);
  const past = history.series.flatMap((one) => one.values.map((value) => value.year));
  data.firstYear = past.length ? Math.min(...past) : data.cutoff + 1;
  data.lastYear = data.cutoff + Math.max(...model.horizons);
  return data;
}

// Rates of years ahead need the population that is projected; without a projection the last that was counted.
async function projection(model) {
  try {
    return (await post("/projection", { years: model.horizons.map((horizon) => model.cutoff + horizon) })).population;
  } catch (error) {
    if (error.status !== 409) throw error;
    return [];
  }
}

function addProjected(population, rows) {
  for (const row of rows) population.set(row.region, { ...population.get(row.region), [row.year]: row.population["0.5"] });
}

const pastOf = (history) =>
  new Map(history.series.map((one) => [`${one.target} ${one.region}`, new Map(one.values.map((value) => [value.year, value]))]));

function byRegion(forecasts) {
  const found = new Map();
  for (const one of forecasts) {
    if (!found.has(one.region)) found.set(one.region, new Map());
    found.get(one.region).set(one.year, one);
  }
  return found;
}

export function populationAt(data, region, year) {
  const known = data.population.get(region) ?? {};
  return known[year] ?? known[Math.max(...Object.keys(known).map(Number).filter((one) => one <= year))];
}

export const pastAt = (data, region, target, year) => data.past.get(`${target} ${region}`)?.get(year);
export const forecastAt = (data, region, target, year) => data.forecasts.get(target)?.get(region)?.get(year);

// The region that this one was part of in a year; undefined where it stood by itself.
export function formerly(data, region, year) {
  const change = data.history.boundary_changes.find((one) => one.successor === region && one.year > year);
  if (!change) return undefined;
  return formerly(data, change.predecessor, year) ?? change.predecessor;
}

// {persons, rate, low, high, lowRate, highRate, basis, kind}; kind is recorded, estimated, forecast, former or none.
// Of a former region only the rate is told: its persons were those of several regions of today.
export function valueAt(data, region, target, year) {
  const forecast = forecastAt(data, region, target, year);
  if (forecast) return ofForecast(data, forecast);
  const past = pastAt(data, region, target, year);
  if (past) return ofPast(data, past, region);
  const former = formerly(data, region, year);
  const value = former && pastAt(data, former, target, year);
  if (value) return { persons: null, rate: value.rate_per_1000, low: null, high: null, basis: value.basis, kind: "former", former };
  return { persons: null, rate: null, low: null, high: null, basis: null, kind: "none" };
}

const per1000 = (persons, population) => (population ? (1000 * persons) / population : null);

function ofForecast(data, one) {
  const inhabitants = populationAt(data, one.region, one.year);
  const { "0.1": low, "0.5": persons, "0.9": high } = one.quantiles;
  const rates = { rate: per1000(persons, inhabitants), lowRate: per1000(low, inhabitants), highRate: per1000(high, inhabitants) };
  return { persons, low, high, ...rates, basis: one.basis, kind: "forecast", inhabitants, forecast: one };
}

function ofPast(data, value, region) {
  const inhabitants = populationAt(data, region, value.year);
  const { persons, lower: low, upper: high, basis } = value;
  const rates = { rate: value.rate_per_1000, lowRate: low === null ? null : per1000(low, inhabitants), highRate: high === null ? null : per1000(high, inhabitants) };
  return { persons, low, high, ...rates, basis, kind: basis === "estimated" ? "estimated" : "recorded", inhabitants };
}

// The value in the unit that is looked at, with its 80 % interval.
export const inUnit = (value, unit) =>
  unit === "rate"
    ? { value: value.rate, low: value.lowRate ?? null, high: value.highRate ?? null }
    : { value: value.persons, low: value.low, high: value.high };
