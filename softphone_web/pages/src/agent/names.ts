// How people and work are called on the page. Pure.
import { phone } from "../kit/format";
import type { DeskItem, Leg, Offer } from "../kit/types";
import { t } from "./texts";

type Someone = Pick<Offer, "from_name" | "from_address">;

export function callerOf(one: Someone & { direction?: string; to_address?: string | null }): string {
  if (one.direction === "outbound") return phone(one.to_address ?? null) || t("unknownCaller");
  return (one.from_name !== one.from_address && one.from_name) || phone(one.from_address) || t("unknownCaller");
}

export const numberOf = (one: Someone & { direction?: string; to_address?: string | null }): string | null =>
  one.direction === "outbound" ? (one.to_address ?? null) : one.from_address;

export const queueOf = (one: { queue: string | null; queue_title: string | null }): string => one.queue_title ?? one.queue ?? t("noQueue");

const ROLES: Record<string, Parameters<typeof t>[0]> = {
  customer: "call.role.customer",
  citizen: "call.role.customer",
  agent: "call.role.agent",
  supervisor: "call.role.supervisor",
  external: "call.role.external",
};

export function legName(leg: Leg): string {
  const role = ROLES[leg.role];
  return leg.name ?? (phone(leg.address) || (role ? t(role) : leg.role));
}

/** Everybody but the agent themself. */
export const othersIn = (item: DeskItem, agent: string): Leg[] => item.legs.filter((one) => one.agent !== agent);
