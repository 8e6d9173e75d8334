// Asking the server. Answers are JSON; what goes wrong is an ApiError whose words are for people.

export const BASE = "/api/v1";
const root = document.documentElement;

export class ApiError extends Error {
  constructor(status, { code = "failed", message = "the server does not answer", what_to_do: advice = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.advice = advice;
  }

  // One sentence with what to do.
  get words() {
    return this.advice ? `${this.message}; ${this.advice}` : this.message;
  }
}

async function ask(method, path, { body, form, signal, raw = false } = {}) {
  const headers = { Accept: raw ? "*/*" : "application/json" };
  if (method !== "GET") headers["X-Noctule-CSRF"] = root.dataset.csrf ?? "";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, {
      method, headers, signal, credentials: "same-origin",
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: "the server does not answer", what_to_do: "check the network; it is tried again" });
  }
  if (answer.ok) return raw ? answer : answer.json();
  const told = await answer.json().catch(() => ({}));
  const error = new ApiError(answer.status, told.error);
  const isDoor = location.pathname === "/login";
  if (!isDoor && error.code === "login_needed") {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (error.code === "password_must_change" && location.pathname !== "/password") location.assign("/password");
  throw error;
}

// Paths are below /api/v1 unless they begin with "/".
export const get = (path, options) => ask("GET", path, options);
export const post = (path, body = {}, options) => ask("POST", path, { ...options, body });
export const put = (path, body = {}, options) => ask("PUT", path, { ...options, body });
export const remove = (path, options) => ask("DELETE", path, options);
export const upload = (path, form, options) => ask("POST", path, { ...options, form });
export const replace = (path, form, options) => ask("PUT", path, { ...options, form });

// "alerts" and {state: "new", camera: null} as "alerts?state=new": null and "" are left out.
export function query(path, values) {
  const kept = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const words = new URLSearchParams(kept).toString();
  return words ? `${path}?${words}` : path;
}

export const role = root.dataset.role ?? "";
export const isOperator = role === "operator" || role === "admin";
