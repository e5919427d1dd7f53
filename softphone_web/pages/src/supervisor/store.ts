// The board while a page shows it: a snapshot after every connection, then the live events in batches.
import { effect, signal, untracked } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../kit/api";
import { listen, liveState, type LiveEvent } from "../kit/live";
import { noteServerTime, now } from "../kit/timer";
import { aged, fold, withHappened } from "./fold";
import type { Board } from "./model";

/** Drawing more often than the eye follows only costs: 200 events a second become ten drawings. */
const BATCH_MS = 100;
const TOPICS = ["interactions", "agents", "queues", "alerts"];

export const board = signal<Board | null>(null);
export const boardError = signal<unknown>(null);
/** When something was last heard, in ms of this machine's clock. */
export const lastHeard = signal(0);

let waiting: LiveEvent[] = [];
let timer = 0;
let loading = false;

function draw(): void {
  timer = 0;
  const events = waiting;
  waiting = [];
  if (board.value) board.value = events.reduce(fold, board.value);
  lastHeard.value = Date.now();
}

export function reloadBoard(): void {
  if (loading) return;
  loading = true;
  waiting = [];
  api
    .get<Board>("/board")
    .then((next) => {
      noteServerTime(next.measured_at);
      // What was heard while the answer was on its way is later than it, or the same: folded again it changes nothing.
      board.value = waiting.reduce(fold, withHappened(next, board.value));
      waiting = [];
      boardError.value = null;
      lastHeard.value = Date.now();
    })
    .catch((error: unknown) => void (boardError.value = error))
    .finally(() => void (loading = false));
}

/** Of an alert that happened once. */
export function seen(alert: string): void {
  if (board.value) board.value = { ...board.value, alerts: board.value.alerts.filter((one) => one.id !== alert) };
}

export function useBoard(): void {
  useEffect(() => {
    const stop = listen({
      topics: TOPICS,
      reload: reloadBoard,
      event: (event) => {
        waiting.push(event);
        if (!loading && !timer) timer = window.setTimeout(draw, BATCH_MS);
      },
    });
    // A live socket that cannot open must not leave the page empty: the snapshot is asked for all the same.
    const late = window.setTimeout(() => { if (!board.value) reloadBoard(); }, 1500);
    const ageing = effect(() => {
      const at = now.value;
      untracked(() => { if (board.value) board.value = aged(board.value, at); });
    });
    const beat = effect(() => { if (liveState.value === "open") lastHeard.value = Date.now(); });
    return () => {
      stop();
      beat();
      ageing();
      window.clearTimeout(late);
      window.clearTimeout(timer);
      timer = 0;
    };
  }, []);
}

export const queueTitle = (name: string | null): string =>
  name === null ? "" : (board.value?.queues.find((one) => one.name === name)?.title ?? name);
