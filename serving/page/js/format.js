// Numbers as the reader's language writes them.

import { language, t } from "./words.js";

const LOCALES = { kk: "kk-KZ", ru: "ru-RU", en: "en-GB" };
const formats = new Map();

// Browsers say that they write Kazakh where some have no more than its name; Russian has the same signs.
const kazakh = new Intl.NumberFormat(LOCALES.kk).format(1.5) === "1,5" ? LOCALES.kk : LOCALES.ru;
const locale = () => (language() === "kk" ? kazakh : LOCALES[language()]);

function format(options) {
  const key = locale() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale(), options));
  return formats.get(key);
}

const MINUS = "−";
const written = (value, options) => format(options).format(value).replace(/^-/, MINUS);
const none = (value) => value === null || value === undefined || Number.isNaN(value);

const PLAIN = { signDisplay: "negative" };
export const whole = (value, sign = PLAIN) => (none(value) ? "–" : written(value, { maximumFractionDigits: 0, ...sign }));
export const decimal = (value, digits = 1, sign = PLAIN) =>
  none(value) ? "–" : written(value, { minimumFractionDigits: digits, maximumFractionDigits: digits, ...sign });
export const percent = (share, sign = PLAIN) =>
  none(share) ? "–" : written(share, { style: "percent", maximumFractionDigits: 0, ...sign });
export const compact = (value) => {
  const text = none(value) ? "–" : written(value, { notation: "compact", maximumFractionDigits: 1 });
  return language() === "kk" ? text.replace("тыс.", "мың") : text;
};

// So that it can be said: three digits that count.
export const about = (value) => (none(value) ? value : Number(value.toPrecision(3)));

// An estimate, or a forecast of one, looks like one.
export const unsure = (text, basis) => (basis === "estimated" ? `≈ ${text}` : text);

// A day as 2025-12-22 in words.
export function date(text) {
  const [year, month, day] = text.split("-").map(Number);
  return t("date", { year, month: t("months").split(" ")[month - 1], day });
}

const WITH_SIGN = { signDisplay: "exceptZero" };
export const signed = (value) => whole(value, WITH_SIGN);
export const signedDecimal = (value, digits = 1) => decimal(value, digits, WITH_SIGN);
export const signedPercent = (share) => percent(share, WITH_SIGN);

// Persons or a rate; a balance has its sign.
export function amount(value, unit, target) {
  const balance = target === "net_migration";
  if (unit === "rate") return balance ? signedDecimal(value) : decimal(value);
  return balance ? signed(value) : whole(value);
}

export const interval = (low, high, write) => t("interval", { low: write(low), high: write(high) });

// How plotly writes numbers: decimal sign and thousands.
export function separators() {
  const parts = format({}).formatToParts(12345.6);
  const of = (type) => parts.find((part) => part.type === type)?.value ?? "";
  return of("decimal") + of("group");
}
