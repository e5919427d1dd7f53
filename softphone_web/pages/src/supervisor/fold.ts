/** The live board: a snapshot, and what happened since, folded. Pure; a frame that changes nothing gives the same object back. */
import type { Alert, Board, BoardAgent, BoardItem, LiveFrame, QueueFigures, Risk } from "./model";

const GONE = new Set(["closed"]);
const MOST_ALERTS = 100;

export function fold(board: Board, frame: LiveFrame): Board {
  switch (frame.topic) {
    case "interactions":
      return interaction(board, frame);
    case "agents":
      return agent(board, frame);
    case "queues":
      return frame.type === "figures" ? figures(board, frame.data as unknown as QueueFigures) : board;
    case "alerts":
      return alert(board, frame);
    default:
      return board;
  }
}

function interaction(board: Board, frame: LiveFrame): Board {
  const item = frame.data["board"] as BoardItem | null | undefined;
  const id = item?.id ?? frame.id;
  if (id === undefined) return board;
  if (frame.type === "closed" || (item && GONE.has(item.phase))) {
    const left = board.interactions.filter((one) => one.id !== id);
    return left.length === board.interactions.length ? board : { ...board, interactions: left };
  }
  return item ? { ...board, interactions: put(board.interactions, item) } : board;
}

function agent(board: Board, frame: LiveFrame): Board {
  const known = board.agents.find((one) =>
    frame.type === "endpoint_state" ? one.endpoint === frame.id : one.id === frame.id,
  );
  if (!known) return board;
  const told = frame.data as Partial<BoardAgent> & { online?: boolean };
  const next: BoardAgent =
    frame.type === "endpoint_state"
      ? { ...known, endpoint_online: told.online ?? known.endpoint_online }
      : {
          ...known,
          state: told.state ?? known.state,
          reason: told.reason ?? null,
          reason_title: told.reason_title ?? (told.reason === known.reason ? known.reason_title : null) ?? null,
          interaction: told.interaction ?? null,
          since: frame.at,
        };
  return { ...board, agents: put(board.agents, next) };
}

function figures(board: Board, queue: QueueFigures): Board {
  const at = board.queues.findIndex((one) => one.name === queue.name);
  const queues = at < 0 ? [...board.queues, queue] : board.queues.with(at, queue);
  return { ...board, queues, measured_at: queue.measured_at };
}

function alert(board: Board, frame: LiveFrame): Board {
  const data = frame.data as Partial<Alert> & { state?: "raised" | "cleared" };
  // What lasts has an id of its own and is cleared; what only happened once (a trunk went down) is told by its kind and place.
  const id = data.id ?? `${frame.type} ${frame.id ?? ""}`;
  const rest = board.alerts.filter((one) => one.id !== id);
  if (data.state === "cleared") return { ...board, alerts: rest };
  const told: Alert = { about: frame.id ?? "", since: frame.at, message: "", ...data, kind: frame.type, id, once: data.id === undefined };
  const at = board.alerts.findIndex((one) => one.id === id);
  if (at >= 0 && !told.once) return { ...board, alerts: board.alerts.with(at, told) }; // the same with newer words: it keeps its place
  return { ...board, alerts: [told, ...rest].slice(0, MOST_ALERTS) };
}

/** A snapshot knows what lasts (oldest first); what happened was told once and is kept from what was there before. */
export function withHappened(next: Board, before: Board | null): Board {
  const once = before?.alerts.filter((one) => one.once) ?? [];
  return { ...next, alerts: [...once, ...next.alerts.toReversed()] };
}

const SOON = 0.75; // of the target, as the server counts it: `sla_risk` of the definitions

const riskOf = (waitedS: number, targetS: number): Risk => (waitedS <= SOON * targetS ? "ok" : waitedS <= targetS ? "soon" : "late");

/** Whoever waits comes nearer to the target although nothing happens: no event tells it. `now` in ms of the server's clock. */
export function aged(board: Board, now: number): Board {
  const interactions = board.interactions.map((one) => {
    const { target_s: target, risk } = one.sla;
    if (one.waiting_since === null || target === null) return one;
    const next = riskOf((now - Date.parse(one.waiting_since)) / 1000, target);
    return next === risk ? one : { ...one, sla: { ...one.sla, risk: next } };
  });
  return interactions.some((one, at) => one !== board.interactions[at]) ? { ...board, interactions } : board;
}

/** In its place when it is known, so that no row jumps; else at the end. */
function put<T extends { id: string }>(all: T[], one: T): T[] {
  const at = all.findIndex((other) => other.id === one.id);
  return at < 0 ? [...all, one] : all.with(at, one);
}
