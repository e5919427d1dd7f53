// The lane of alerts: always in its place, so that a new one pushes nothing away. A new one is heard, too, unless silenced here.
import { BellRing, CircleCheck, Volume2, VolumeX, X } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { timeOfDay } from "../kit/format";
import { Menu } from "../kit/menu";
import { Timer } from "../kit/timer";
import { chime } from "../phone/ring";
import type { Alert } from "./model";
import { seen } from "./store";
import { alertSentence, t } from "./texts";

const SHOWN = 3;
const SOUND = "rimay.alerts.sound";

interface AlertsProps {
  alerts: readonly Alert[];
  open: (alert: Alert) => void;
  namesOf: (alert: Alert) => { who: string; queue: string };
}

export function Alerts({ alerts, open, namesOf }: AlertsProps) {
  const lane = useRef<HTMLElement>(null);
  const [sound, setSound] = useState(() => localStorage.getItem(SOUND) !== "off");
  useNewOnes(alerts, () => { if (sound) chime(); });
  useActions([{ id: "alerts", title: t("alerts.go"), key: "a", group: t("title"), run: () => lane.current?.querySelector<HTMLElement>(".alert")?.focus(), disabled: alerts.length === 0 }]);
  const turn = (): void => {
    localStorage.setItem(SOUND, sound ? "off" : "on");
    setSound(!sound);
  };
  const one = (alert: Alert) => {
    const words = alertSentence(alert, namesOf(alert));
    return (
      <li key={alert.id}>
        <button type="button" class="alert" data-closes title={words} onClick={() => open(alert)}>
          {alert.once ? <time class="muted">{timeOfDay(alert.since)}</time> : <Timer since={alert.since} />} <span>{words}</span>
        </button>
        {alert.once && <Button kind="quiet" size="small" icon={X} label={t("alerts.seen", { what: words })} onClick={() => seen(alert.id)} />}
      </li>
    );
  };
  return (
    <section class={alerts.length ? "alerts some" : "alerts"} aria-label={t("alerts")} ref={lane}>
      {alerts.length ? <BellRing size={16} aria-hidden="true" /> : <CircleCheck size={16} aria-hidden="true" />}
      <div class="alerts-now" role="log" aria-label={t("alerts")}><ul>
        {alerts.length === 0 && <li class="muted">{t("alerts.none")}</li>}
        {alerts.slice(0, SHOWN).map(one)}
      </ul></div>
      {alerts.length > 1 && (
        <Menu
          label={t("alerts")}
          trigger={(attributes) => <button type="button" class="button small" {...attributes}>{t("alerts.all", { n: alerts.length })}</button>}
        >
          <ul class="alert-list">{alerts.map(one)}</ul>
        </Menu>
      )}
      <Button kind="quiet" size="small" icon={sound ? Volume2 : VolumeX} label={t(sound ? "alerts.mute" : "alerts.unmute")} onClick={turn} />
    </section>
  );
}

/** Those that were there when the page came are nothing new. */
function useNewOnes(alerts: readonly Alert[], tell: () => void): void {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    const before = known.current;
    known.current = new Set(alerts.map((one) => one.id));
    if (before && alerts.some((one) => !before.has(one.id))) tell();
  }, [alerts]);
}
