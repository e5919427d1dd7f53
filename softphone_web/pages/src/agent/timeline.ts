// What has happened to an interaction, in the words of the house. Facts that tell a person nothing are left out. Pure.
import { phone } from "../kit/format";
import { texts } from "../kit/i18n";
import type { InteractionEvent } from "../kit/types";

export const t = texts({
  inbound: ["Llamó al {to}", "Called {to}"],
  outbound: ["Llamada saliente al {to}", "Outbound call to {to}"],
  choice: ["Eligió «{option}»", "Chose “{option}”"],
  queued: ["Entró a la cola {queue}", "Entered the queue {queue}"],
  moved: ["Salió de la cola {queue}", "Left the queue {queue}"],
  offered: ["Se ofreció a {agent}", "Offered to {agent}"],
  rejected: ["{agent} no la tomó", "{agent} did not take it"],
  connected: ["Contestó {agent}", "{agent} answered"],
  held: ["En espera", "On hold"],
  resumed: ["Se retomó la conversación", "Conversation resumed"],
  away: ["Se cortó el audio de {agent}", "The audio of {agent} broke off"],
  back: ["Volvió el audio de {agent}", "The audio of {agent} is back"],
  digits: ["Se enviaron tonos", "Tones were sent"],
  transferTo: ["Se transfirió a {to}", "Transferred to {to}"],
  transferFailed: ["Nadie contestó la transferencia", "Nobody took the transfer"],
  paused: ["Grabación en pausa", "Recording paused"],
  unpaused: ["Sigue la grabación", "Recording goes on"],
  recordingFailed: ["Falló la grabación", "The recording failed"],
  consult: ["Consulta a {to}", "Consulting {to}"],
  consultDone: ["La consulta terminó en transferencia", "The consultation ended in a transfer"],
  consultFailed: ["No contestaron la consulta", "The consultation was not answered"],
  takenOver: ["Supervisión tomó la llamada", "A supervisor took over"],
  conference: ["Conferencia", "Conference"],
  help: ["Se pidió apoyo a supervisión", "A supervisor was asked for help"],
  steered: ["Supervisión intervino", "A supervisor stepped in"],
  wrapUp: ["Cierre de llamada", "Wrap-up"],
  ended: ["Terminó la llamada", "The call ended"],
});

/** How ids are called: agents, queues. */
export interface Names {
  agent: (id: string) => string;
  queue: (id: string) => string;
}

export interface Line {
  n: number;
  at: string;
  text: string;
  detail: string;
}

type Data = Record<string, unknown>;
type Say = (data: Data, names: Names) => [string, string?] | null;
const str = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");

function noted(data: Data): [string, string?] | null {
  const inner = (data["data"] ?? data) as Data;
  const name = str(inner["name"]) || str(inner["option"]);
  return str(data["kind"]) === "menu.choice" && name ? [t("choice", { option: name })] : null;
}

/** Whom it was given to: an agent, a queue or a number. */
function target(data: Data, names: Names): string {
  const to = str(data["to"]);
  return data["kind"] === "agent" ? names.agent(to) : data["kind"] === "queue" ? names.queue(to) : phone(to);
}

const SAY: Record<string, Say> = {
  started: (d) => [t(d["direction"] === "outbound" ? "outbound" : "inbound", { to: phone(str(d["to_address"])) })],
  flow_noted: noted,
  queued: (d, n) => [t("queued", { queue: n.queue(str(d["queue"])) })],
  dequeued: (d, n) => (d["how"] === "answered" ? null : [t("moved", { queue: n.queue(str(d["queue"])) })]),
  offered: (d, n) => [t("offered", { agent: n.agent(str(d["agent"])) })],
  offer_ended: (d, n) => (d["how"] === "accepted" || d["how"] === "withdrawn" ? null : [t("rejected", { agent: n.agent(str(d["agent"])) })]),
  connected: (d, n) => [t("connected", { agent: n.agent(str(d["agent"])) })],
  held: () => [t("held")],
  resumed: () => [t("resumed")],
  agent_away: (d, n) => [t("away", { agent: n.agent(str(d["agent"])) })],
  agent_back: (d, n) => [t("back", { agent: n.agent(str(d["agent"])) })],
  digits_sent: () => [t("digits")],
  transfer_begun: (d) => [t("transferTo", { to: phone(str(d["to"])) })],
  transfer_ended: (d) => (d["how"] === "connected" ? null : [t("transferFailed")]),
  transferred: (d, n) => [t("transferTo", { to: target(d, n) })],
  consult_begun: (d, n) => [t("consult", { to: target(d, n) })],
  consult_ended: (d) => (d["how"] === "completed" ? [t("consultDone")] : d["how"] === "failed" || d["how"] === "refused" ? [t("consultFailed")] : null),
  conference_begun: () => [t("conference")],
  supervisor_asked: (d) => [t("help"), str(d["text"])],
  taken_over: () => [t("takenOver")],
  steered: (d) => [t("steered"), str(d["by"])],
  recording_paused: () => [t("paused")],
  recording_resumed: () => [t("unpaused")],
  recording_failed: () => [t("recordingFailed")],
  wrap_up_started: () => [t("wrapUp")],
  ended: () => [t("ended")],
};

export function linesOf(events: readonly InteractionEvent[], names: Names): Line[] {
  return events.flatMap((one) => {
    const said = SAY[one.type]?.(one.data, names);
    return said ? [{ n: one.n, at: one.at, text: said[0], detail: said[1] ?? "" }] : [];
  });
}
