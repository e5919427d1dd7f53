/** What a supervisor can do with an interaction, by where it is: what the server takes there, and nothing it would refuse. Pure. */
import type { BoardItem, Phase } from "./model";

export type Act = "listen" | "whisper" | "barge" | "takeOver" | "move" | "raise" | "assign" | "end" | "hangUp";

const HEARD = ["listen", "whisper", "barge"] as const;

// In the order in which a call goes through them. The server's sides of it: the table of `callcontrol.call` for what is done
// in a talk (`hangUp` by whose call it is), `DeskSteering` of `app.web_board` for the rest.
const ACTS: Record<Phase, readonly Act[]> = {
  arriving: ["end"],
  flow: ["end"],
  scheduled: ["end"],
  queued: ["move", "raise", "assign", "end"],
  connecting: ["end"],
  dialing: ["end", "hangUp"],
  talking: [...HEARD, "takeOver", "end", "hangUp"],
  consult: [...HEARD, "end", "hangUp"],
  conference: [...HEARD, "end", "hangUp"],
  transfer: ["end", "hangUp"],
  wrap_up: [],
  ending: [],
  closed: [],
};

/** Of a phase that only a newer server knows nothing is offered. */
export const can = (item: Pick<BoardItem, "phase">, act: Act): boolean =>
  Object.hasOwn(ACTS, item.phase) && ACTS[item.phase].includes(act);

const PASSING: ReadonlySet<Phase> = new Set(["arriving", "ending", "closed"]);

/** The phases that last long enough to look for. */
export const STAGES: readonly Phase[] = (Object.keys(ACTS) as Phase[]).filter((phase) => !PASSING.has(phase));
