// What happened to an interaction, as sentences. Pure: facts in, lines out; facts that say nothing to people are left out.
import { phone } from "../kit/format";
import { texts } from "../kit/i18n";

export interface FactOut {
  n: number;
  at: string;
  type: string;
  data: Record<string, unknown>;
}

export interface Line {
  n: number;
  at: string;
  text: string;
  tone: "plain" | "good" | "warn" | "bad";
}

const t = texts({
  started: ["Entró una llamada", "A call came in"],
  "started.out": ["Salió una llamada", "A call went out"],
  answered: ["Se contestó", "Answered"],
  flow_started: ["Empezó el flujo «{flow}»", "The flow “{flow}” began"],
  choice: ["Eligió {name}", "Chose {name}"],
  flow_resumed: ["Volvió al flujo", "Back in the flow"],
  flow_ended: ["Terminó el flujo", "The flow ended"],
  queued: ["Entró a la cola {queue}, prioridad {priority}", "Entered the queue {queue}, priority {priority}"],
  dequeued: ["Salió de la cola tras {seconds} s", "Left the queue after {seconds} s"],
  "dequeued.answered": ["La atendieron tras {seconds} s en la cola", "Answered after {seconds} s in the queue"],
  "dequeued.abandoned": ["Colgó tras {seconds} s en la cola", "Gave up after {seconds} s in the queue"],
  "dequeued.timeout": ["Salió de la cola tras {seconds} s: esperó demasiado", "Left the queue after {seconds} s: waited too long"],
  "dequeued.no_agents": ["Salió de la cola: no había quien atienda", "Left the queue: nobody could take it"],
  "dequeued.unknown_queue": ["La cola {queue} no existe", "There is no queue {queue}"],
  "dequeued.closed": ["Salió de la cola: estaba cerrada", "Left the queue: it was closed"],
  "dequeued.full": ["Salió de la cola: estaba llena", "Left the queue: it was full"],
  "dequeued.length": ["Salió de la cola: esperaban muchos", "Left the queue: many were waiting"],
  "dequeued.expected_wait": ["Salió de la cola: la espera prevista era larga", "Left the queue: the expected wait was long"],
  "dequeued.moved": ["Pasó a otra cola tras {seconds} s", "Moved to another queue after {seconds} s"],
  "dequeued.raised": ["Volvió a la cola con otra prioridad", "Back in the queue with another priority"],
  "dequeued.ended": ["Supervisión la sacó de la cola", "Supervision took it out of the queue"],
  offered: ["Se ofreció a {agent}", "Offered to {agent}"],
  "offer_ended.accepted": ["{agent} aceptó", "{agent} accepted"],
  "offer_ended.rejected": ["{agent} rechazó", "{agent} rejected"],
  "offer_ended.expired": ["{agent} no contestó a tiempo", "{agent} did not answer in time"],
  "offer_ended.withdrawn": ["La oferta a {agent} se retiró", "The offer to {agent} was withdrawn"],
  "offer_ended.failed": ["No se pudo llegar al teléfono de {agent}", "The phone of {agent} could not be reached"],
  connected: ["Habla con {agent}", "Talks with {agent}"],
  agent_away: ["Se cortó el audio de {agent}; la persona escucha música", "The audio of {agent} broke off; the caller hears music"],
  agent_back: ["{agent} volvió", "{agent} is back"],
  transfer_begun: ["Transferencia a {to}", "Transfer to {to}"],
  "transfer_ended.connected": ["La transferencia se completó", "The transfer was completed"],
  "transfer_ended.failed": ["La transferencia no se contestó", "The transfer was not answered"],
  "transfer_ended.refused": ["La transferencia no está permitida", "The transfer is not allowed"],
  transferred: ["{by} la transfirió a {to}", "{by} transferred it to {to}"],
  consult_begun: ["{by} consulta a {to}; la persona escucha música", "{by} consults {to}; the caller hears music"],
  "consult_begun.hidden": ["{by} hace una consulta; la persona escucha música", "{by} consults somebody; the caller hears music"],
  consult_answered: ["Contestaron la consulta", "The consultation was answered"],
  "consult_swapped.back": ["El agente volvió con la persona; la consulta espera con música", "The agent is back with the caller; the consultation waits with music"],
  "consult_swapped.asking": ["El agente volvió a la consulta; la persona escucha música", "The agent is back in the consultation; the caller hears music"],
  consult_ended: ["Terminó la consulta", "The consultation ended"],
  "consult_ended.completed": ["La consulta terminó en transferencia", "The consultation ended in a transfer"],
  "consult_ended.cancelled": ["Terminó la consulta: siguen el agente y la persona", "The consultation ended: agent and caller go on"],
  "consult_ended.failed": ["No contestaron la consulta", "The consultation was not answered"],
  "consult_ended.refused": ["La consulta no se pudo hacer", "The consultation could not be made"],
  "consult_ended.left": ["Terminó la consulta: alguien colgó", "The consultation ended: somebody hung up"],
  "consult_ended.lost": ["La consulta se cortó", "The consultation broke off"],
  conference_begun: ["Conferencia: se oyen los tres", "Conference: all three hear one another"],
  digits_sent: ["{by} envió tonos", "{by} sent tones"],
  held: ["En espera con música", "On hold"],
  resumed: ["Se retomó", "Resumed"],
  disconnected: ["Dejó de hablar con {agent}", "No longer talks with {agent}"],
  recording_started: ["Empezó la grabación", "Recording began"],
  recording_paused: ["Grabación en pausa", "Recording paused"],
  recording_resumed: ["Siguió la grabación", "Recording went on"],
  recording_stopped: ["Grabación guardada ({seconds} s)", "Recording kept ({seconds} s)"],
  recording_failed: ["La grabación falló", "The recording failed"],
  wrap_up_started: ["Cierre de {agent}", "Wrap-up of {agent}"],
  wrap_up_ended: ["{agent} terminó el cierre", "{agent} finished the wrap-up"],
  "steered.move": ["Supervisión la movió a {queue}", "Supervision moved it to {queue}"],
  "steered.raise": ["Supervisión cambió la prioridad a {priority}", "Supervision changed the priority to {priority}"],
  "steered.assign": ["Supervisión la asignó a {agent}", "Supervision assigned it to {agent}"],
  "steered.end": ["Supervisión la terminó", "Supervision ended it"],
  supervision_started: ["Empezó la supervisión", "Supervision began"],
  supervision_changed: ["Cambió la supervisión", "Supervision changed"],
  "supervision_started.listen": ["Supervisión escucha", "Supervision listens"],
  "supervision_started.whisper": ["Supervisión susurra al agente", "Supervision whispers to the agent"],
  "supervision_started.barge": ["Supervisión interviene", "Supervision barged in"],
  "supervision_changed.listen": ["Supervisión escucha", "Supervision listens"],
  "supervision_changed.whisper": ["Supervisión susurra al agente", "Supervision whispers to the agent"],
  "supervision_changed.barge": ["Supervisión interviene", "Supervision barged in"],
  supervision_ended: ["Terminó la supervisión", "Supervision ended"],
  supervisor_asked: ["{by} pide apoyo: «{text}»", "{by} asks for a supervisor: “{text}”"],
  "supervisor_asked.silent": ["{by} pide apoyo", "{by} asks for a supervisor"],
  taken_over: ["Supervisión tomó la llamada", "Supervision took the call over"],
  reattached: ["La plataforma se reinició y retomó la llamada", "The platform restarted and took the call up again"],
  command_failed: ["La central no pudo cumplir una orden", "The switch could not do what it was told"],
  "ended.customer": ["La persona colgó", "The person hung up"],
  "ended.agent": ["El agente colgó", "The agent hung up"],
  ended: ["Terminó", "Ended"],
});

const BAD = new Set(["offer_ended.failed", "recording_failed", "command_failed", "transfer_ended.failed", "consult_ended.lost", "agent_away"]);
const WARN = new Set(["supervisor_asked", "supervisor_asked.silent", "offer_ended.rejected", "offer_ended.expired", "held", "recording_paused", "reattached", "transfer_ended.refused", "consult_ended.failed", "consult_ended.refused"]);
const GOOD = new Set(["connected", "agent_back"]);

type Key = keyof typeof t.dictionary;
const plain = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** `names`: ids of agents and queues to what people call them. */
export function timeline(facts: readonly FactOut[], names: (id: string) => string): Line[] {
  return facts.flatMap((fact) => {
    const key = keyOf(fact);
    if (key === null) return [];
    const { data } = fact;
    const text = t(key, {
      ...Object.fromEntries(Object.entries(data).map(([name, value]) => [name, plain(value)])),
      agent: names(plain(data["agent"])),
      queue: names(plain(data["queue"])),
      by: names(plain(data["by"])),
      to: whom(data, names) || "—",
      seconds: Math.round(Number(data["waited_s"] ?? data["seconds"] ?? 0)),
      name: choice(data),
    });
    return [{ n: fact.n, at: fact.at, text, tone: BAD.has(key) ? "bad" : WARN.has(key) ? "warn" : GOOD.has(key) ? "good" : "plain" } satisfies Line];
  });
}

/** An agent, a queue or a number; nothing where that is hidden from who asks. */
function whom({ kind, to }: Record<string, unknown>, names: (id: string) => string): string {
  return kind === "number" ? phone(plain(to)) : names(plain(to));
}

function choice(data: Record<string, unknown>): string {
  const inner = (data["data"] ?? {}) as Record<string, unknown>;
  return plain(inner["name"]) || plain(inner["option"]);
}

function keyOf(fact: FactOut): Key | null {
  const part = { offer_ended: "how", transfer_ended: "how", consult_ended: "how", steered: "act", ended: "by", dequeued: "how", supervision_started: "mode", supervision_changed: "mode" }[fact.type];
  if (fact.type === "flow_noted") return fact.data["kind"] === "menu.choice" ? "choice" : null;
  if (fact.type === "supervisor_asked" && !plain(fact.data["text"])) return "supervisor_asked.silent";
  if (fact.type === "consult_begun" && !plain(fact.data["to"])) return "consult_begun.hidden";
  if (fact.type === "consult_swapped") return fact.data["with_customer"] === true ? "consult_swapped.back" : "consult_swapped.asking";
  if (fact.type === "started" && fact.data["direction"] === "outbound") return "started.out";
  const how = part ? plain(fact.data[part]).split(":")[0] : ""; // "moved:full": why, that the queue it came to tells
  for (const key of [`${fact.type}.${how}`, fact.type]) if (key in t.dictionary) return key as Key;
  return null;
}
