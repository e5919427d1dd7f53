import { signal } from "@preact/signals";
import { clock, spent } from "./format";

/** Seconds of this machine's clock that the server's is ahead; set by `noteServerTime`. */
let ahead = 0;
/** The moment, as the server counts it, in ms; it ticks once a second while anything reads it. */
export const now = signal(Date.now());

if (typeof window !== "undefined") window.setInterval(() => void (now.value = Date.now() + ahead), 1000);

/** Laptops' clocks are wrong by minutes: durations are counted from the server's `measured_at`. */
export function noteServerTime(measuredAt: string): void {
  const offset = Date.parse(measuredAt) - Date.now();
  if (Math.abs(offset - ahead) > 1000) ahead = offset;
  now.value = Date.now() + ahead;
}

export const secondsSince = (at: string): number => Math.max(0, (now.value - Date.parse(at)) / 1000);
export const secondsUntil = (at: string): number => Math.max(0, (Date.parse(at) - now.value) / 1000);

/** "3:07", counting up from `since` or down to `until`, in figures that keep their width. */
export function Timer({ since, until, label }: { since?: string; until?: string; label?: string }) {
  const seconds = until ? Math.ceil(secondsUntil(until)) : since ? secondsSince(since) : 0;
  return (
    <time class="timer" role="timer" aria-label={label ? `${label}: ${spent(seconds)}` : undefined}>
      {clock(seconds)}
    </time>
  );
}
