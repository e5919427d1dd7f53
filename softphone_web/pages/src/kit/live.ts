// The live socket: one a page, shared by all that listen. After each (re)connection every listener is asked to load
// its snapshot anew; between, events are told in their order.
import { signal } from "@preact/signals";
import { delay, step, type Link, type LinkEvent } from "./reconnect";

export interface LiveEvent {
  topic: string;
  type: string;
  at: string;
  id?: string;
  data: Record<string, unknown>;
}

export interface Listener {
  topics: string[];
  event: (event: LiveEvent) => void;
  /** Load the snapshot: called after every connection, and when the server says that events were lost. */
  reload: () => void;
}

/** For the page's banner. */
export const liveState = signal<Link>("idle");
/** Why it ended for good: "signed_out" or null. */
export const liveEnd = signal<"signed_out" | null>(null);

const SIGNED_OUT = 4401;
const SILENT_MS = 45_000; // longer than two heartbeats of the server
const listeners = new Set<Listener>();
let socket: WebSocket | null = null;
let timer = 0;
let watchdog = 0;
let tries = 0;

function happen(event: LinkEvent): void {
  const next = step(liveState.value, event);
  liveState.value = next.to;
  for (const command of next.do) {
    if (command === "open") open();
    else if (command === "close") close();
    else if (command === "schedule") timer = window.setTimeout(() => happen("timer"), delay(++tries, Math.random()));
    else if (command === "cancel_timer") window.clearTimeout(timer);
    else for (const one of listeners) one.reload();
  }
}

const topics = (): string[] => [...new Set([...listeners].flatMap((one) => one.topics))].sort();

function open(): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new WebSocket(`${scheme}://${location.host}/api/v1/live?topics=${topics().join(",")}`, ["rimay.v1"]);
  socket = opened;
  opened.onopen = () => {
    if (socket !== opened) return;
    tries = 0;
    watch();
    happen("opened");
  };
  opened.onmessage = (message: MessageEvent<string>) => {
    if (socket !== opened) return;
    watch();
    hear(JSON.parse(message.data) as LiveEvent);
  };
  opened.onclose = (event) => {
    if (socket !== opened) return;
    socket = null;
    window.clearTimeout(watchdog);
    if (event.code === SIGNED_OUT) {
      liveEnd.value = "signed_out";
      happen("refused");
    } else happen("closed");
  };
}

function close(): void {
  const old = socket;
  socket = null;
  window.clearTimeout(watchdog);
  old?.close(1000);
}

/** A socket over a dead network says nothing for minutes: silence longer than the heartbeat is a loss. */
function watch(): void {
  window.clearTimeout(watchdog);
  watchdog = window.setTimeout(() => {
    close();
    happen("closed");
  }, SILENT_MS);
}

function hear(event: LiveEvent): void {
  if (event.topic === "live") {
    if (event.type === "interrupted" || event.type === "lost") for (const one of listeners) one.reload();
    return;
  }
  for (const one of listeners) if (one.topics.includes(event.topic)) one.event(event);
}

/** Listen; gives back how to stop. The socket opens with the first listener. */
export function listen(listener: Listener): () => void {
  const before = topics().join();
  listeners.add(listener);
  if (liveState.value === "idle") {
    window.addEventListener("offline", () => happen("network_lost"));
    window.addEventListener("online", () => happen("network_back"));
    happen("start");
  } else if (liveState.value === "open") {
    if (topics().join() !== before) socket?.send(JSON.stringify({ op: "topics", topics: topics() }));
    listener.reload();
  }
  return () => void listeners.delete(listener);
}

export const stopLive = (): void => happen("stop");
