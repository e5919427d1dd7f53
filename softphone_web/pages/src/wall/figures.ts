/** What the wallboard shows: six figures of one queue or of all, and when they are too old to be trusted. Pure. */
import type { BoardAgent, QueueFigures } from "../supervisor/model";

export interface Wall {
  waiting: number;
  longestWaitS: number | null;
  serviceLevel: number | null;
  target: number | null;
  abandonedRate: number | null;
  asaS: number | null;
  free: number;
  onContact: number;
}

/** Page -1 is all queues together, then one after the other. */
export function wallOf(queues: readonly QueueFigures[], agents: readonly BoardAgent[], page: number): Wall {
  const shown = page < 0 ? queues : queues.slice(page, page + 1);
  const names = new Set(shown.map((one) => one.name));
  const here = page < 0 ? agents : agents.filter((agent) => agent.queues.some((name) => names.has(name)));
  const offered = sum(shown, (one) => one.offered_today);
  const waits = shown.flatMap((one) => (one.longest_wait_s === null ? [] : [one.longest_wait_s]));
  return {
    waiting: sum(shown, (one) => one.waiting),
    longestWaitS: waits.length ? Math.max(...waits) : null,
    serviceLevel: mean(shown, (one) => one.service_level.today, (one) => one.offered_today),
    target: sameTarget(shown),
    abandonedRate: offered ? sum(shown, (one) => one.abandoned_today) / offered : null,
    asaS: mean(shown, (one) => one.asa_s, (one) => one.answered_today),
    free: here.filter((one) => one.state === "ready").length,
    onContact: here.filter((one) => one.state === "interacting" || one.state === "reserved").length,
  };
}

/** Weighed by how many there were; null where none has a value. */
function mean(all: readonly QueueFigures[], of: (one: QueueFigures) => number | null, weight: (one: QueueFigures) => number): number | null {
  const known = all.flatMap((one) => {
    const value = of(one);
    return value === null ? [] : [{ value, weight: weight(one) }];
  });
  const whole = sum(known, (one) => one.weight);
  return whole > 0 ? sum(known, (one) => one.value * one.weight) / whole : null;
}

const sameTarget = (queues: readonly QueueFigures[]): number | null => {
  const targets = new Set(queues.map((one) => one.service_level.target));
  return targets.size === 1 ? ([...targets][0] ?? null) : null;
};

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((so, one) => so + of(one), 0);

/** The page after this one: all queues, then each that has had a contact today or has one waiting, and again. */
export function nextPage(queues: readonly QueueFigures[], page: number): number {
  return queues.findIndex((one, at) => at > page && (one.waiting > 0 || one.offered_today > 0));
}

/** `fresh`: the socket lives. Older than this without it, the figures are no longer what they say. */
export const STALE_AFTER_S = 15;
export const isStale = (lastHeard: number, now: number, connected: boolean): boolean =>
  !connected && now - lastHeard > STALE_AFTER_S;
