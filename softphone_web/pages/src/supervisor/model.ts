/** What the supervisor's pages are told by the server; see the routes `/board` and `/queues/{queue}/history`. Times are RFC 3339. */

export type Phase =
  | "arriving" | "flow" | "scheduled" | "queued" | "connecting" | "dialing" | "talking" | "consult" | "conference"
  | "transfer" | "wrap_up" | "ending" | "closed";
export type AgentState = "signed_out" | "ready" | "not_ready" | "reserved" | "interacting" | "wrap_up";
export type Risk = "ok" | "soon" | "late";
export type Listening = "listen" | "whisper" | "barge";

export interface BoardItem {
  id: string;
  medium: string;
  direction: string;
  queue: string | null;
  queue_title: string | null;
  phase: Phase;
  priority: number;
  agent: string | null;
  agent_name: string | null;
  /** Personal data: null for who may not see it. */
  from_address: string | null;
  /** Null when it does not wait. */
  waiting_since: string | null;
  waited_s: number | null;
  in_phase_since: string;
  /** No target: the queue has none, or it is in no queue. */
  sla: { target_s: number | null; risk: Risk };
  supervised_by: string | null;
  reason: string | null;
  reason_title?: string | null;
}

export interface BoardAgent {
  id: string;
  name: string;
  state: AgentState;
  since: string;
  reason: string | null;
  reason_title?: string | null;
  interaction: string | null;
  queues: string[];
  endpoint: string | null;
  endpoint_online: boolean | null;
}

export interface QueueFigures {
  name: string;
  title: string;
  waiting: number;
  longest_wait_s: number | null;
  expected_s: number | null;
  agents: Partial<Record<AgentState, number>>;
  service_level: { today: number | null; target: number; threshold_s: number; variant: string };
  offered_today: number;
  answered_today: number;
  abandoned_today: number;
  asa_s: number | null;
  aht_s: number | null;
  measured_at: string;
}

export interface Alert {
  id: string;
  kind: string;
  since: string;
  /** A sentence in Spanish. */
  message: string;
  /** Those of the sentence: a level and its target as shares, how many wait, a limit in seconds. */
  figures?: Readonly<Record<string, number>>;
  about?: string;
  queue?: string | null;
  interaction?: string | null;
  agent?: string | null;
  /** It happened and is not cleared by the server: whoever has seen it takes it away. */
  once?: boolean;
}

export interface Board {
  interactions: BoardItem[];
  agents: BoardAgent[];
  queues: QueueFigures[];
  alerts: Alert[];
  measured_at: string;
}

export interface HistoryPoint {
  at: string;
  offered: number;
  answered: number;
  abandoned: number;
  service_level: number | null;
  asa_s: number | null;
  waiting_max: number;
}

export interface LiveFrame {
  topic: string;
  type: string;
  at: string;
  id?: string;
  data: Record<string, unknown>;
}
