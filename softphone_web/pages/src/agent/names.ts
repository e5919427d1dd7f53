// How people and work are called on the page.
import { signal } from "@preact/signals";
import { api } from "../kit/api";
import { phone, spoken } from "../kit/format";
import type { Coded, DeskItem, Leg, Offer, WrapUpCodes } from "../kit/types";
import { t } from "./texts";

type Someone = Pick<Offer, "from_name" | "from_address">;

export function callerOf(one: Someone & { direction?: string; to_address?: string | null }): string {
  if (one.direction === "outbound") return phone(one.to_address ?? null) || t("unknownCaller");
  return (one.from_name !== one.from_address && one.from_name) || phone(one.from_address) || t("unknownCaller");
}

export const numberOf = (one: Someone & { direction?: string; to_address?: string | null }): string | null =>
  one.direction === "outbound" ? (one.to_address ?? null) : one.from_address;

export const queueOf = (one: { queue: string | null; queue_title: string | null }): string => one.queue_title || one.queue || t("noQueue");

const ROLES: Record<string, Parameters<typeof t>[0]> = {
  customer: "call.role.customer",
  agent: "call.role.agent",
  supervisor: "call.role.supervisor",
  external: "call.role.external",
};

export function legName(leg: Leg): string {
  const role = ROLES[leg.role];
  return leg.name || (phone(leg.address) || (role ? t(role) : leg.role));
}

/** All are in one room, though the citizen may be on hold in it. */
export const isConference = (item: Pick<DeskItem, "phase">): boolean => item.phase === "conference";

/** Everybody but the agent themself. */
export const othersIn = (item: DeskItem, agent: string): Leg[] => item.legs.filter((one) => one.agent !== agent);

/** What ids and codes are called, loaded once; one without a name is its own. */
const titles = signal<Readonly<Record<"reason" | "agent" | "queue" | "state", ReadonlyMap<string, string>>>>({ reason: new Map(), agent: new Map(), queue: new Map(), state: new Map() });
const called = (kind: keyof typeof titles.value, id: string | null): string => (id ? (titles.value[kind].get(id) ?? id) : "");
export const reasonOf = (code: string | null): string => (code ? (titles.value.reason.get(code) ?? spoken(code)) : "");
export const agentName = (id: string | null): string => called("agent", id);
export const queueName = (id: string | null): string => called("queue", id);
export const pauseName = (code: string | null): string => called("state", code);

interface Listed {
  items: { id?: string; name: string; title?: string }[];
}

/** What cannot be loaded leaves ids and codes as they are. */
export async function loadNames(): Promise<void> {
  const [codes, agents, queues, pauses] = await Promise.allSettled([
    api.get<WrapUpCodes>("/wrap-up-codes"), api.get<Listed>("/agents"), api.get<Listed>("/queues"), api.get<{ items: Coded[] }>("/not-ready-reasons"),
  ]);
  const coded = (items: readonly Coded[]): Map<string, string> => new Map(items.map((one) => [one.code, one.title]));
  titles.value = {
    reason: coded(codes.status === "fulfilled" ? codes.value.reasons : []),
    agent: new Map(agents.status === "fulfilled" ? agents.value.items.map((one) => [one.id ?? one.name, one.name]) : []),
    queue: new Map(queues.status === "fulfilled" ? queues.value.items.map((one) => [one.name, one.title ?? one.name]) : []),
    state: coded(pauses.status === "fulfilled" ? pauses.value.items : []),
  };
}
