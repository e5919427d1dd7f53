// What the agent has before them: the server's snapshot, never folded by the page itself; and what is selected in it.
import { computed, signal } from "@preact/signals";
import { api, idPart } from "../kit/api";
import { listen } from "../kit/live";
import { Problem } from "../kit/problem";
import { loadSession, session } from "../kit/session";
import { noteServerTime } from "../kit/timer";
import type { Desk, DeskItem, Message, Offer, WrapUp } from "../kit/types";
import { readyToHear } from "../phone/phone";

export const desk = signal<Desk | null>(null);
export const deskError = signal<unknown>(null);
/** The id of the interaction that the person chose to look at; null: the most urgent one. */
export const chosen = signal<string | null>(null);

export type Work = { kind: "item"; id: string; item: DeskItem } | { kind: "wrap_up"; id: string; wrapUp: WrapUp };

/** All that the agent has to do, most urgent first: who talks, who waits on hold, what is to be closed. Pure. */
export function workOf(snapshot: Desk): Work[] {
  const items = [...snapshot.items].sort((a, b) => Number(a.held) - Number(b.held) || (a.connected_at ?? "~").localeCompare(b.connected_at ?? "~"));
  const open = new Set(items.map((one) => one.interaction));
  return [
    ...items.map((item): Work => ({ kind: "item", id: item.interaction, item })),
    ...snapshot.wrap_ups.filter((one) => !open.has(one.interaction)).map((wrapUp): Work => ({ kind: "wrap_up", id: wrapUp.interaction, wrapUp })),
  ];
}

/** What is shown: the chosen one while it is there, else the most urgent. Pure. */
export const shownOf = (work: readonly Work[], choice: string | null): Work | null => work.find((one) => one.id === choice) ?? work[0] ?? null;

export const work = computed<Work[]>(() => (desk.value ? workOf(desk.value) : []));
export const shown = computed<Work | null>(() => shownOf(work.value, chosen.value));
/** The offer that asks for an answer now: the one that expires first. */
export const offer = computed<Offer | null>(() => [...(desk.value?.offers ?? [])].sort((a, b) => a.expires_at.localeCompare(b.expires_at))[0] ?? null);
/** Whom the side panel is about, also before the call is answered. */
export const subject = computed<string | null>(() => shown.value?.id ?? offer.value?.interaction ?? null);

let asked = 0;

export async function loadDesk(): Promise<void> {
  const turn = ++asked;
  if (session.value?.user.agent === null) await loadSession(); // it may have been given one since
  if (session.value?.user.agent === null) {
    deskError.value = new Problem(409, "access.no_agent");
    return;
  }
  try {
    const snapshot = await api.get<Desk>("/me/desk");
    if (turn === asked) take(snapshot);
  } catch (error) {
    if (turn === asked) deskError.value = error;
  }
}

/** An older snapshot that comes late (an answer overtaken by an event) is not taken. */
export function newer(have: Desk | null, next: Desk): boolean {
  return have === null || Date.parse(next.measured_at) >= Date.parse(have.measured_at);
}

function take(snapshot: Desk): void {
  deskError.value = null;
  noteServerTime(snapshot.measured_at);
  if (!newer(desk.value, snapshot)) return;
  const answered = hasAnswered(desk.value, snapshot);
  desk.value = snapshot;
  if (answered) readyToHear();
}

/** Whether somebody who was asked speaks now in place of the ring tone. Pure. */
export const hasAnswered = (before: Desk | null, now: Desk): boolean =>
  now.items.some((item) => item.consult?.state === "talking" && before?.items.find((one) => one.interaction === item.interaction)?.consult?.state === "ringing");

export function startDesk(onMessage: (message: Message) => void, reloadMessages: () => void): () => void {
  return listen({
    topics: ["desk", "messages"],
    reload: () => {
      void loadDesk();
      reloadMessages();
    },
    event: (event) => {
      if (event.topic === "messages") onMessage(event.data as unknown as Message);
      else if ("agent" in event.data) take(event.data as unknown as Desk);
      else void loadDesk();
    },
  });
}

// --- what the agent does --------------------

const call = (interaction: string, what: string, body?: unknown): Promise<void> => api.post(`/interactions/${idPart(interaction)}/${what}`, body);
/** What gives the leg another voice, or none. When it is answered the switch has done it: what still lies in the browser's
 * buffer is of before. */
async function otherVoice(done: Promise<void>): Promise<void> {
  await done;
  readyToHear();
}
const agent = (): string => idPart(session.value?.user.agent ?? "");

export const commands = {
  accept: (id: string) => api.post(`/offers/${idPart(id)}/accept`),
  reject: (id: string) => api.post(`/offers/${idPart(id)}/reject`, {}),
  hold: (id: string) => otherVoice(call(id, "hold")),
  resume: (id: string) => call(id, "resume"),
  hangup: (id: string) => call(id, "hangup"),
  dtmf: (id: string, digits: string) => call(id, "dtmf", { digits }),
  record: (id: string, on: boolean) => call(id, on ? "recording/resume" : "recording/pause"),
  transfer: (id: string, kind: "blind" | "attended", to: { kind: string; id: string }) => call(id, "transfer", { kind, to }),
  consult: (id: string, what: "complete" | "cancel" | "swap" | "conference") => otherVoice(call(id, `consult/${what}`)),
  leave: (id: string) => otherVoice(call(id, "conference/leave")),
  remove: (id: string, participant: string) => call(id, "conference/remove", { participant }),
  askForHelp: (id: string, text: string) => call(id, "supervisor-request", { text }),
  dial: (number: string, queue: string | null, customer: string | null) => api.post<{ interaction: string }>("/calls", { number, ...(queue && { queue }), ...(customer && { customer }) }),
  state: (state: "ready" | "not_ready" | "signed_out", reason?: string) => api.put(`/agents/${agent()}/state`, { state, ...(reason && { reason }) }),
  begin: () => api.post(`/agents/${agent()}/sign-in`),
  end: () => api.post(`/agents/${agent()}/sign-out`),
  finish: (interaction: string, disposition: string | null) => api.post(`/agents/${agent()}/wrap-up/finish`, { interaction, ...(disposition && { disposition }) }),
  extend: (interaction: string, seconds: number) => api.post(`/agents/${agent()}/wrap-up/extend`, { interaction, seconds }),
  reason: (interaction: string, reason: string) => api.put(`/interactions/${idPart(interaction)}/reason`, { reason }),
  disposition: (interaction: string, code: string) => api.put(`/interactions/${idPart(interaction)}/disposition`, { code }),
  note: (interaction: string, text: string) => call(interaction, "notes", { text }),
};
