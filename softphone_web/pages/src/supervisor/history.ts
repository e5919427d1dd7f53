/** Points of a queue's day as columns for a chart, and as rows for the table behind it. Pure. */
import type { HistoryPoint, QueueFigures } from "./model";

export interface Columns {
  /** Unix seconds. */
  at: number[];
  serviceLevel: (number | null)[];
  target: number[];
}

export function serviceLevelColumns(points: readonly HistoryPoint[], target: number): Columns {
  return {
    at: points.map((one) => Date.parse(one.at) / 1000),
    // A quarter of an hour in which nobody called has no service level: a gap, not a zero.
    serviceLevel: points.map((one) => one.service_level),
    target: points.map(() => target),
  };
}

export const isFlat = (points: readonly HistoryPoint[]): boolean =>
  points.every((one) => one.service_level === null);

/** 0.799 -> "79 %": rounded down, so that what is below the target of 80 never reads as 80. */
export const floorPercent = (share: number | null): string =>
  share === null ? "—" : `${Math.floor(share * 100 + 1e-9)} %`;

/** The longest wait goes on between two measurements; `now` in ms. */
export const longestNow = (queue: QueueFigures, now: number): number | null =>
  queue.longest_wait_s === null || queue.waiting === 0
    ? null
    : queue.longest_wait_s + Math.max(0, (now - Date.parse(queue.measured_at)) / 1000);
