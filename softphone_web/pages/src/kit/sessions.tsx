// Where one is signed in: each place with its device, and ending one or all others.
import { Laptop, Smartphone } from "lucide-preact";
import { api, idPart } from "./api";
import { Badge } from "./badge";
import { browserOf } from "./browsers";
import { Button } from "./button";
import { when } from "./format";
import { texts } from "./i18n";
import { ErrorState, Skeleton } from "./states";
import { tell, tellError } from "./toast";
import { useBusy, useLoad } from "./use";

interface OwnSession {
  id: string;
  created_at: string;
  last_seen_at: string;
  origin: string;
  agent_text: string;
  current: boolean;
}

const t = texts({
  title: ["Sesiones abiertas", "Open sessions"],
  lead: ["Si no reconoce alguna, ciérrela y cambie su contraseña.", "If you do not recognise one, end it and change your password."],
  here: ["Este equipo", "This device"],
  unknown: ["Dispositivo desconocido", "Unknown device"],
  on: ["{browser} en {system}", "{browser} on {system}"],
  seen: ["Último uso: {at}", "Last used: {at}"],
  since: ["ingresó: {at}", "signed in: {at}"],
  from: ["desde {address}", "from {address}"],
  end: ["Cerrar", "End"],
  endOf: ["Cerrar la sesión de {device}, {at}", "End the session of {device}, {at}"],
  others: ["Cerrar todas las demás", "End all others"],
  ended: ["La sesión está cerrada.", "The session has ended."],
  othersEnded: ["Las demás sesiones están cerradas.", "The other sessions have ended."],
});

function deviceOf(one: OwnSession): string {
  const { browser, system } = browserOf(one.agent_text);
  if (browser && system) return t("on", { browser, system });
  return browser ?? system ?? t("unknown");
}

export function OwnSessions() {
  const { data, error, reload } = useLoad((signal) => api.get<{ items: OwnSession[] }>("/sessions", signal), []);
  const [busy, run] = useBusy();
  const end = (path: string, said: "ended" | "othersEnded"): void => void run(async () => {
    try {
      await api.delete(path);
      tell(t(said), { tone: "good" });
    } catch (problem) {
      tellError(problem);
    }
    reload();
  });
  return (
    <section class="stack">
      <h3>{t("title")}</h3>
      <p class="muted">{t("lead")}</p>
      {data === null && (error ? <ErrorState error={error} onRetry={reload} /> : <Skeleton lines={2} height={40} />)}
      {data && (
        <ul class="sessions">
          {data.items.map((one) => {
            const device = deviceOf(one);
            const Icon = browserOf(one.agent_text).mobile ? Smartphone : Laptop;
            return (
              <li key={one.id}>
                <Icon size={20} aria-hidden="true" />
                <div class="sessions-what">
                  <strong>{device}</strong>
                  <span class="muted small">{one.origin && `${t("from", { address: one.origin })} · `}{t("seen", { at: when(one.last_seen_at) })} · {t("since", { at: when(one.created_at) })}</span>
                </div>
                {one.current ? <Badge tone="good">{t("here")}</Badge> : (
                  <Button size="small" busy={busy} attributes={{ "aria-label": t("endOf", { device, at: when(one.last_seen_at) }) }} onClick={() => end(`/sessions/${idPart(one.id)}`, "ended")}>{t("end")}</Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {data && data.items.length > 1 && (
        <div><Button kind="danger" busy={busy} onClick={() => end("/sessions", "othersEnded")}>{t("others")}</Button></div>
      )}
    </section>
  );
}
