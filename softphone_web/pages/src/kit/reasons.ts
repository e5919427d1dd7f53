// Why somebody is not ready: as the organisation lists it; where it lists nothing, a break.
import { api } from "./api";
import { texts } from "./i18n";
import type { Coded } from "./types";

const t = texts({ any: ["Pausa", "Break"] });

export async function notReadyReasons(signal?: AbortSignal): Promise<Coded[]> {
  const { items } = await api.get<{ items: Coded[] }>("/not-ready-reasons", signal);
  return items.length ? items : [{ code: "pausa", title: t("any") }];
}
