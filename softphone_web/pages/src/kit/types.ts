// The shapes of the API that more than one page uses. Times are RFC 3339; personal data is null for who may not see it.

export type AgentState = "signed_out" | "not_ready" | "ready" | "reserved" | "busy" | "wrap_up" | "missed";

export interface Agent {
  id: string;
  name: string;
  state: AgentState;
  since: string;
  reason: string | null;
  interaction: string | null;
  queues: string[];
  endpoint: string | null;
  endpoint_online: boolean | null;
  /** What was asked for while a call goes on: taken when it ends. */
  wanted?: { state: AgentState; reason: string | null } | string | null;
}

export interface Coded {
  code: string;
  title: string;
}

export interface PathStep {
  node: string;
  title?: string | null;
  option?: string | null;
}

export interface Offer {
  id: string;
  interaction: string;
  kind?: string;
  medium: string;
  queue: string | null;
  queue_title: string | null;
  reason: string | null;
  priority: number;
  from_address: string | null;
  from_name: string | null;
  waited_s: number;
  path: PathStep[];
  expires_at: string;
  auto_accept: boolean;
}

export interface Leg {
  participant: string;
  role: string;
  name: string | null;
  address: string | null;
  state: "ringing" | "talking" | "held" | "away";
  agent: string | null;
}

export interface DeskItem {
  interaction: string;
  medium: string;
  direction: string;
  phase: string;
  from_address: string | null;
  from_name: string | null;
  to_address: string | null;
  queue: string | null;
  queue_title: string | null;
  reason: string | null;
  connected_at: string | null;
  held: boolean;
  recording: "on" | "paused" | "off";
  legs: Leg[];
  consult: Leg | null;
  supervised: string | null;
}

export interface WrapUp {
  interaction: string;
  until: string | null;
  disposition_required: boolean;
  dispositions: Coded[];
}

export interface Desk {
  agent: Agent;
  phone: { kind: "web" | "desk"; leg: "down" | "up"; endpoint: string | null; online: boolean | null };
  offers: Offer[];
  items: DeskItem[];
  wrap_ups: WrapUp[];
  measured_at: string;
}

export interface Interaction {
  id: string;
  medium: string;
  direction: string;
  phase: string;
  from_address: string | null;
  from_name: string | null;
  to_address: string | null;
  queue: string | null;
  reason: string | null;
  agent: string | null;
  created_at: string;
  answered_at: string | null;
  queued_at: string | null;
  connected_at: string | null;
  ended_at: string | null;
  disposition: string | null;
}

export interface InteractionEvent {
  n: number;
  at: string;
  type: string;
  data: Record<string, unknown>;
}

export interface Note {
  id: string;
  at: string;
  by: string;
  text: string;
}

export interface CustomerCard {
  identity: {
    name: string | null;
    document: string | null;
    kind: string | null;
    phones: string[];
    emails: string[];
    how_sure: "phone" | "document" | "contract" | "unknown";
  };
  contracts: { number: string; service: string; address: string | null; status: string; debt: number | string | null }[];
  cases: { id: string; title: string; status: string; opened_at: string }[];
  outages: { id?: string; title?: string; text?: string; area?: string; service?: string; expected_at?: string | null }[];
  interactions: {
    id: string;
    at: string;
    medium: string;
    queue: string | null;
    reason: string | null;
    disposition: string | null;
    agent: string | null;
    seconds: number | null;
  }[];
  notes: Note[];
  measured_at: string;
  sources: { name: string; ok: boolean; detail: string | null }[];
}

export interface DirectoryEntry {
  kind: "agent" | "queue" | "number";
  id: string;
  name: string;
  detail: string | null;
  state: string | null;
  waiting: number | null;
}

export interface WrapUpCodes {
  required: boolean;
  dispositions: Coded[];
  reasons: Coded[];
}

export interface MyStatistics {
  day: string;
  handled: number;
  offered: number;
  missed: number;
  rejected: number;
  talk_s: number;
  hold_s: number;
  wrap_up_s: number;
  aht_s: number | null;
  ready_s: number;
  not_ready_s: Record<string, number>;
  occupancy: number | null;
  measured_at: string;
}

export interface Message {
  id: string;
  at: string;
  by?: string;
  from_name?: string | null;
  text: string;
}
