// The shapes of the API that more than one page uses. Times are RFC 3339; personal data is null for who may not see it.

export type AgentState = "signed_out" | "not_ready" | "ready" | "reserved" | "interacting" | "wrap_up";

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
}

/** An agent as their own desk tells of them. */
export interface DeskAgent {
  id: string;
  name: string;
  state: AgentState;
  since: string;
  reason: string | null;
  /** Asked for during work, taken up after it. */
  wanted: AgentState | null;
  wanted_reason: string | null;
  queues: string[];
}

export interface Coded {
  code: string;
  title: string;
}

/** What they chose in a menu: the key, and its words. */
export interface PathStep {
  node: string;
  option: string;
  title: string;
}

export interface Offer {
  id: string;
  interaction: string;
  kind: "offer" | "consult";
  /** The colleague who asks, of a consultation. */
  by: string | null;
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
  /** False for a colleague who was asked. */
  mine: boolean;
}

export interface WrapUp {
  interaction: string;
  queue: string;
  until: string | null;
  disposition: string | null;
  disposition_required: boolean;
  dispositions: Coded[];
  reasons: Coded[];
}

export interface Desk {
  agent: DeskAgent;
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
    name: string;
    document: string;
    kind: string;
    phones: string[];
    emails: string[];
    sector: string;
    accessibility: boolean;
    critical: boolean;
    how_sure: "phone" | "document" | "contract" | "unknown";
  };
  contracts: { number: string; service: string; address: string; status: string; debt: number; due: string }[];
  cases: { id: string; title: string; status: string; opened_at: string }[];
  outages: { service: string; sector: string; reason: string; until: string }[];
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
  sources: { name: string; ok: boolean; detail: string }[];
}

export interface DirectoryEntry {
  kind: "agent" | "queue" | "number";
  id: string;
  name: string;
  detail: string;
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
  sender: string;
  sender_name: string;
  text: string;
  mine?: boolean;
}
