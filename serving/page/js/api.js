// Asks the service. Answers change only with the model, so each is asked for once.

const kept = new Map();
const KEY = "qonys-key";

// A service with keys wants one with every question.
export const useKey = (key) => sessionStorage.setItem(KEY, key);

function headers() {
  const key = sessionStorage.getItem(KEY);
  return { accept: "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
}

export class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? [];
  }
}

async function asked(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  const told = await response.json();
  if (!response.ok) throw new ApiError(response.status, told.error ?? { message: response.statusText });
  return told;
}

function once(key, ask) {
  if (!kept.has(key)) kept.set(key, ask().catch((error) => (kept.delete(key), Promise.reject(error))));
  return kept.get(key);
}

export const fetchOf = (path) => once(path, () => asked(path));

export function post(path, body) {
  const text = JSON.stringify(body);
  return once(path + text, () => asked(path, posted(text)));
}

// Not kept: a scenario is asked for while a slider moves; signal ends the request that is overtaken.
export const postNow = (path, body, signal) => asked(path, { ...posted(JSON.stringify(body)), signal });

const posted = (body) => ({
  method: "POST", body, headers: { "content-type": "application/json" },
});
