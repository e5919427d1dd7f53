// The lane of alerts: always in its place, so that a new one pushes nothing away.
import { BellRing, CircleCheck } from "lucide-preact";
import { timeOfDay } from "../kit/format";
import { Menu } from "../kit/menu";
import type { Alert } from "./model";
import { alertSentence, t } from "./texts";

const SHOWN = 3;

export function Alerts({ alerts, open, whoHas }: { alerts: readonly Alert[]; open: (alert: Alert) => void; whoHas: (interaction: string) => string }) {
  const one = (alert: Alert) => (
    <button type="button" class="alert" data-closes onClick={() => open(alert)}>
      <time class="muted">{timeOfDay(alert.since)}</time> <span>{alertSentence(alert, whoHas(alert.interaction ?? alert.about ?? ""))}</span>
    </button>
  );
  return (
    <section class={alerts.length ? "alerts some" : "alerts"} aria-label={t("alerts")}>
      {alerts.length ? <BellRing size={16} aria-hidden="true" /> : <CircleCheck size={16} aria-hidden="true" />}
      <div class="alerts-now" role="log" aria-label={t("alerts")}><ul>
        {alerts.length === 0 && <li class="muted">{t("alerts.none")}</li>}
        {alerts.slice(0, SHOWN).map((alert) => <li key={alert.id}>{one(alert)}</li>)}
      </ul></div>
      {alerts.length > 1 && (
        <Menu
          label={t("alerts")}
          trigger={(attributes) => <button type="button" class="button small" {...attributes}>{t("alerts.all", { n: alerts.length })}</button>}
        >
          <ul class="alert-list">{alerts.map((alert) => <li key={alert.id}>{one(alert)}</li>)}</ul>
        </Menu>
      )}
    </section>
  );
}
