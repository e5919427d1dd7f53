/** The live board: a snapshot, and what happened since, folded. Pure; a frame that changes nothing gives the same object back. */
import type { Alert, Board, BoardAgent, BoardItem, LiveFrame, QueueFigures } from "./model";

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
  const told: Alert = { about: frame.id ?? "", since: frame.at, message: "", ...data, kind: frame.type, id };
  return { ...board, alerts: [told, ...rest].slice(0, MOST_ALERTS) };
}

/** In its place when it is known, so that no row jumps; else at the end. */
function put<T extends { id: string }>(all: T[], one: T): T[] {
  const at = all.findIndex((other) => other.id === one.id);
  return at < 0 ? [...all, one] : all.with(at, one);
}
