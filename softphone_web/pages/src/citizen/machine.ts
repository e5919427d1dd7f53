/** The states of the citizen's call, as a table; what happens when is in the page. A pair that is not in it is ignored only where it
 *  says so: the person may press, and the line may answer, in any order. */

export type State = "idle" | "asking" | "denied" | "calling" | "talking" | "ended" | "busy" | "failed" | "unsupported";
export type Event =
  | "press" // the big button
  | "granted" | "refused" // the microphone
  | "no_room" // the platform takes no more calls now
  | "accepted" | "rejected" | "over" // the line
  | "broken"; // network, server, library

const TABLE: Record<State, Partial<Record<Event, State>>> = {
  idle: { press: "asking" },
  asking: { granted: "calling", refused: "denied", broken: "failed", press: "idle" },
  denied: { press: "asking" },
  calling: { accepted: "talking", rejected: "busy", over: "ended", broken: "failed", no_room: "busy", press: "ended" },
  talking: { press: "ended", over: "ended", broken: "failed" },
  ended: { press: "asking" },
  busy: { press: "asking" },
  failed: { press: "asking" },
  unsupported: {},
};

/** The state that follows; the same one when the event means nothing any more (a late answer after hanging up). */
export const next = (state: State, event: Event): State => TABLE[state][event] ?? state;

export const isCalling = (state: State): boolean => state === "asking" || state === "calling" || state === "talking";
