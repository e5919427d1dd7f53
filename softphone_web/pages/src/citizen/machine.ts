/** The states of the citizen's call, as a table; what happens when is in the page. A pair that is not in it is ignored only where it
 *  says so: the person may press, and the line may answer, in any order. */

export type State =
  | "idle" | "checking" | "asking" | "denied" | "calling" | "talking" | "ended"
  | "unoffered" | "busy" | "limited" | "unavailable" // the server's or the switch's no
  | "failed" | "unsupported";
export type Event =
  | "press" // the big button
  | "free" | Refusal // the server, asked before the microphone and again for the line
  | "granted" | "refused" // the microphone
  | "accepted" | "rejected" | "over" // the line
  | "broken"; // network, server, library

/** No calls from pages here; all lines taken; too many calls from this connection; the switch or the database is away. */
export type Refusal = "not_offered" | "no_room" | "too_many" | "unavailable";

const NO: Record<Refusal, State> = { not_offered: "unoffered", no_room: "busy", too_many: "limited", unavailable: "unavailable" };

const TABLE: Record<State, Partial<Record<Event, State>>> = {
  idle: { press: "checking" },
  checking: { ...NO, free: "asking", broken: "failed", press: "idle" },
  asking: { granted: "calling", refused: "denied", broken: "failed", press: "idle" },
  denied: { press: "checking" },
  calling: { ...NO, accepted: "talking", rejected: "unavailable", over: "ended", broken: "failed", press: "ended" },
  talking: { press: "ended", over: "ended", broken: "failed" },
  ended: { press: "checking" },
  unoffered: {},
  busy: { press: "checking" },
  limited: { press: "checking" },
  unavailable: { press: "checking" },
  failed: { press: "checking" },
  unsupported: {},
};

/** The state that follows; the same one when the event means nothing any more (a late answer after hanging up). */
export const next = (state: State, event: Event): State => TABLE[state][event] ?? state;

export const isCalling = (state: State): boolean => ["checking", "asking", "calling", "talking"].includes(state);
