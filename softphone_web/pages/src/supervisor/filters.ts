/** Which rows of the board are shown, and in what order. Pure. */
import type { AgentState, BoardAgent, BoardItem, Phase, Risk } from "./model";

export interface Filters {
  text: string;
  medium: string;
  queue: string;
  /** Rows of at least this priority; null for all. */
  priority: number | null;
  agent: string;
  phase: Phase | "";
  risk: Risk | "";
  state: AgentState | "";
}

export const NO_FILTERS: Filters = {
  text: "", medium: "", queue: "", priority: null, agent: "", phase: "", risk: "", state: "",
};

export const isFiltered = (filters: Filters): boolean =>
  (Object.keys(NO_FILTERS) as (keyof Filters)[]).some((key) => filters[key] !== NO_FILTERS[key]);

// What is chosen stands in the address: it outlives a reload and can be sent to somebody. What is typed into the search does
// not: it is often somebody's number, and addresses are written into logs.
const NAMES = { queue: "cola", medium: "canal", phase: "etapa", risk: "riesgo", agent: "agente", state: "estado" } as const;
const PRIORITY = "prioridad";

/** Of the query of an address; what it does not know is left out. */
export function filtersOf(query: string, text = ""): Filters {
  const asked = new URLSearchParams(query);
  const one = (name: keyof typeof NAMES): string => asked.get(NAMES[name]) ?? "";
  const known = <T extends string>(value: string, all: Record<T, unknown>): T | "" => (Object.hasOwn(all, value) ? (value as T) : "");
  const priority = asked.get(PRIORITY) ?? "";
  return {
    text, queue: one("queue"), medium: one("medium"), agent: one("agent"),
    phase: known(one("phase"), PHASES), risk: known(one("risk"), RISK), state: known(one("state"), STATES),
    priority: /^-?\d{1,4}$/.test(priority) ? Number(priority) : null,
  };
}

/** "?cola=agua&riesgo=late", or empty. */
export function queryOf(filters: Filters): string {
  const chosen = new URLSearchParams();
  for (const [name, word] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) if (filters[name]) chosen.set(word, filters[name]);
  if (filters.priority !== null) chosen.set(PRIORITY, String(filters.priority));
  const text = chosen.toString();
  return text && `?${text}`;
}

/** Without accents and case: "ramirez" finds "Ramírez". */
export const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();

const holds = (text: string, ...fields: (string | null | undefined)[]): boolean => {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const hay = plain(fields.filter(Boolean).join(" "));
  return words.every((word) => hay.includes(word));
};

export const showsItem = (item: BoardItem, f: Filters): boolean =>
  (f.medium === "" || item.medium === f.medium) &&
  (f.queue === "" || item.queue === f.queue) &&
  (f.priority === null || item.priority >= f.priority) &&
  (f.agent === "" || item.agent === f.agent) &&
  (f.phase === "" || item.phase === f.phase) &&
  (f.risk === "" || (item.phase === "queued" && item.sla.risk === f.risk)) &&
  holds(f.text, item.from_address, item.agent_name, item.queue_title, item.reason, item.reason_title, item.id);

export const showsAgent = (agent: BoardAgent, f: Filters): boolean =>
  (f.queue === "" || agent.queues.includes(f.queue)) &&
  (f.agent === "" || agent.id === f.agent) &&
  (f.state === "" || agent.state === f.state) &&
  holds(f.text, agent.name, agent.id, agent.reason, agent.reason_title);

const RISK: Record<Risk, number> = { late: 0, soon: 1, ok: 2 };
const PHASES: Record<Phase, number> = {
  queued: 0, connecting: 1, dialing: 1, arriving: 2, flow: 3, talking: 4, consult: 4, conference: 4, transfer: 4,
  wrap_up: 5, scheduled: 5, ending: 6, closed: 7,
};
const STATES: Record<AgentState, number> = {
  reserved: 0, interacting: 1, wrap_up: 2, ready: 3, not_ready: 4, signed_out: 5,
};

/** What needs somebody first, first: waiting and late above all; then by how long it has been so. */
export function itemOrder(a: BoardItem, b: BoardItem): number {
  const rank = (item: BoardItem): number => (item.phase === "queued" ? RISK[item.sla.risk] : 3);
  return rank(a) - rank(b) || PHASES[a.phase] - PHASES[b.phase] || (a.in_phase_since < b.in_phase_since ? -1 : 1);
}

export const agentOrder = (a: BoardAgent, b: BoardAgent): number =>
  STATES[a.state] - STATES[b.state] || a.name.localeCompare(b.name, "es");
