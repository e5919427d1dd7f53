// The API client: cookie, CSRF header on what changes something, problem documents thrown as `Problem`.
import { locale } from "./i18n";
import { Problem, type FieldProblem } from "./problem";

const BASE = "/api/v1";
const GIVE_UP_MS = 15_000;
let csrf = "";
let onSignedOut: () => void = () => undefined;

/** Called by the session store: the token every unsafe request carries, and what to do when the session is over. */
export const setCsrf = (token: string): void => void (csrf = token);
export const whenSignedOut = (handler: () => void): void => void (onSignedOut = handler);

interface ProblemDocument {
  code?: string;
  detail?: string;
  facts?: Record<string, unknown>;
  errors?: FieldProblem[];
  request_id?: string;
}

async function problemOf(answer: Response): Promise<Problem> {
  const document = (await answer.json().catch(() => ({}))) as ProblemDocument;
  const after = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  return new Problem(
    answer.status,
    document.code ?? `http.${answer.status}`,
    document.detail,
    document.facts,
    document.errors,
    document.request_id,
    Number.isFinite(after) ? after : null,
  );
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": locale() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  const timeout = AbortSignal.timeout(GIVE_UP_MS);
  let answer: Response;
  try {
    answer = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, timeout.aborted ? "network.timeout" : "network.down");
  }
  if (answer.status === 204) return undefined;
  if (!answer.ok) {
    const problem = await problemOf(answer);
    if (answer.status === 401 && !path.startsWith("/session")) onSignedOut();
    throw problem;
  }
  return answer.json();
}

// The caller names the type it expects: the shapes stand in types.ts, after the contract of the API.
 
export const api = {
  get: <T>(path: string, signal?: AbortSignal): Promise<T> => send("GET", path, undefined, signal) as Promise<T>,
  post: <T = void>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> => send("POST", path, body, signal) as Promise<T>,
  put: <T = void>(path: string, body?: unknown): Promise<T> => send("PUT", path, body) as Promise<T>,
  delete: <T = void>(path: string, body?: unknown): Promise<T> => send("DELETE", path, body) as Promise<T>,
};
 

/** `query({ q: "agua", after: null })` -> "?q=agua"; absent values are left out. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const kept = Object.entries(values).filter((pair): pair is [string, string | number | boolean] => pair[1] !== null && pair[1] !== undefined && pair[1] !== "");
  const text = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  return text ? `?${text}` : "";
}
export const idPart = encodeURIComponent;
