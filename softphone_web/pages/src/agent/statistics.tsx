// The agent's own day, as the server counts it from the events.
import { api } from "../kit/api";
import { clock, number, percent, spent, timeOfDay } from "../kit/format";
import { t as kit } from "../kit/texts";
import type { MyStatistics } from "../kit/types";
import { useLoad } from "../kit/use";
import { desk } from "./desk";
import { pauseName } from "./names";
import { t } from "./texts";

/** Loaded anew when a contact has ended: then the figures have changed. */
export function DayStatistics() {
  const open = (desk.value?.items.length ?? 0) + (desk.value?.wrap_ups.length ?? 0);
  const { data, error } = useLoad((signal) => api.get<MyStatistics>("/me/statistics", signal), [open]);
  const figures: [string, string, string][] = [
    [t("stats.handled"), number(data?.handled ?? null), t("stats.handledHint")],
    [t("stats.aht"), data?.aht_s == null ? "—" : clock(data.aht_s), t("stats.ahtHint")],
    [t("stats.missed"), number(data ? data.missed + data.rejected : null), t("stats.missedHint", { n: data?.rejected ?? 0 })],
    [t("stats.occupancy"), percent(data?.occupancy ?? null), t("stats.occupancyHint")],
  ];
  return (
    <section class="day" aria-label={t("stats.title")}>
      <h2>{t("stats.title")}</h2>
      <dl class="day-figures">
        {figures.map(([title, value, hint]) => (
          <div key={title} title={hint}><dt>{title}</dt><dd>{value}</dd></div>
        ))}
      </dl>
      <details class="day-detail">
        <summary>{t("stats.detail")}</summary>
        <dl>
          {([["stats.talk", data?.talk_s], ["stats.hold", data?.hold_s], ["stats.wrapUp", data?.wrap_up_s], ["stats.ready", data?.ready_s]] as const).map(([key, value]) => (
            <div key={key}><dt>{t(key)}</dt><dd>{value === undefined ? "—" : spent(value)}</dd></div>
          ))}
          {Object.entries(data?.not_ready_s ?? {}).map(([reason, value]) => <div key={reason}><dt>{pauseName(reason)}</dt><dd>{spent(value)}</dd></div>)}
        </dl>
      </details>
      <p class="muted small">{data ? kit("measured", { at: timeOfDay(data.measured_at) }) : error ? kit("error.title") : kit("loading")}</p>
    </section>
  );
}
