// When a connection is tried again: a table, with no clock and no socket of its own. Used by the live socket and by
// the phone.

export type Link = "idle" | "connecting" | "open" | "waiting" | "offline" | "ended";
export type LinkEvent = "start" | "opened" | "closed" | "timer" | "network_lost" | "network_back" | "refused" | "stop";
export type LinkCommand = "open" | "close" | "schedule" | "cancel_timer" | "reload";

interface Step {
  to: Link;
  do: readonly LinkCommand[];
}

const stay = (to: Link): Step => ({ to, do: [] });

/** Every pair that can happen. `reload`: the page loads its snapshot anew, since it may have missed something. */
export const LINK: Record<Link, Partial<Record<LinkEvent, Step>>> = {
  idle: { start: { to: "connecting", do: ["open"] }, stop: stay("ended"), network_lost: stay("idle"), network_back: stay("idle") },
  connecting: {
    opened: { to: "open", do: ["reload"] },
    closed: { to: "waiting", do: ["schedule"] },
    refused: { to: "ended", do: ["close"] },
    network_lost: { to: "offline", do: ["close"] },
    network_back: stay("connecting"),
    stop: { to: "ended", do: ["close"] },
  },
  open: {
    closed: { to: "waiting", do: ["schedule"] },
    refused: { to: "ended", do: ["close"] },
    network_lost: { to: "offline", do: ["close"] },
    network_back: stay("open"),
    stop: { to: "ended", do: ["close"] },
  },
  waiting: {
    timer: { to: "connecting", do: ["open"] },
    network_lost: { to: "offline", do: ["cancel_timer"] },
    network_back: { to: "connecting", do: ["cancel_timer", "open"] },
    closed: stay("waiting"),
    stop: { to: "ended", do: ["cancel_timer"] },
  },
  offline: {
    network_back: { to: "connecting", do: ["open"] },
    closed: stay("offline"),
    timer: stay("offline"),
    network_lost: stay("offline"),
    stop: stay("ended"),
  },
  ended: {
    start: { to: "connecting", do: ["open"] },
    closed: stay("ended"),
    timer: stay("ended"),
    network_lost: stay("ended"),
    network_back: stay("ended"),
    opened: { to: "ended", do: ["close"] },
    refused: stay("ended"),
    stop: stay("ended"),
  },
};

export class UnknownStep extends Error {}

export function step(at: Link, event: LinkEvent): Step {
  const found = LINK[at][event];
  if (!found) throw new UnknownStep(`a connection that is ${at} knows no ${event}`);
  return found;
}

export const FIRST_MS = 300;
export const LONGEST_MS = 8_000;

/** How long to wait before the n-th try (from 1): doubling, and spread, so that 200 pages do not return as one. */
export function delay(tries: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, tries - 1));
  return Math.round(whole * (0.5 + random / 2));
}
