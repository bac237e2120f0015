// Asks the service. Answers change only with the model, so each is asked for once.

const kept = new Map();
const KEY = "qonys-key";

// A service with keys wants one with every question.
export const useKey = (key) => sessionStorage.setItem(KEY, key);
export const hasKey = () => Boolean(sessionStorage.getItem(KEY));

function headers() {
  const key = sessionStorage.getItem(KEY);
  return { accept: "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
}

// status: 0 where the service did not answer at all. ours: the message is a key of words in the reader's language, which
// may not be there yet; else it is what the service says.
export class ApiError extends Error {
  constructor(status, error, ours = false) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.ours = ours;
  }

  // Whether the same question may be answered a little later.
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

async function asked(path, options = {}) {
  const response = await sent(path, { ...options, headers: { ...headers(), ...options.headers } });
  const told = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw unanswered(response.status);
  });
  if (response.ok) return told;
  if (response.status === 429) throw new ApiError(429, { code: "rate_limited", message: "fault.rate" }, true);
  throw new ApiError(response.status, told.error ?? { message: response.statusText });
}

const unanswered = (status) => new ApiError(status, { code: "unreachable", message: "fault.unreachable" }, true);

async function sent(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : unanswered(0);
  }
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
