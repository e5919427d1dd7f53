// The card of an offer: who, why, what they chose, how long they have waited; answer or reject.
import { Phone, PhoneOff } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Avatar } from "../kit/badge";
import { Button } from "../kit/button";
import { phone } from "../kit/format";
import { now, Timer } from "../kit/timer";
import { tell, tellError } from "../kit/toast";
import type { Offer } from "../kit/types";
import { useBusy } from "../kit/use";
import { readyToHear } from "../phone/phone";
import { startRinging, stopRinging } from "../phone/ring";
import { commands, desk } from "./desk";
import { callerOf, queueOf, reasonOf } from "./names";
import { t } from "./texts";

const titleOf = (offer: Offer): string =>
  offer.kind === "consult" ? t("offer.consult", { name: offer.by ?? "" }) : offer.medium === "voice" ? t("offer.title") : t("offer.titleWork");

export function OfferCard({ offer, compact }: { offer: Offer; compact?: boolean }) {
  const [busy, run] = useBusy();
  const who = callerOf(offer);
  const accept = (): void => void run(() => commands.accept(offer.id).catch(tellError));
  const reject = (): void => void run(() => commands.reject(offer.id).then(() => tell(t("offer.rejected")), tellError));
  const onDesk = desk.value?.phone.kind === "desk";
  const talking = (desk.value?.items.length ?? 0) > 0;
  useActions([
    { id: "accept", title: t("offer.accept"), key: "a", group: t("keys.call"), run: accept, disabled: onDesk },
    { id: "accept-enter", title: t("offer.accept"), key: "enter", group: t("keys.call"), hidden: true, run: accept, disabled: onDesk },
    { id: "reject", title: t("offer.reject"), key: "r", group: t("keys.call"), run: reject },
  ]);
  useEffect(() => {
    if (!talking && !onDesk) {
      startRinging({ title: `${t("offer.title")}: ${who}`, body: `${queueOf(offer)}${offer.reason ? ` · ${reasonOf(offer.reason)}` : ""}` });
      readyToHear();
    }
    return stopRinging;
  }, [offer.id, talking, onDesk]);
  const since = new Date(Date.parse(desk.value?.measured_at ?? new Date(now.value).toISOString()) - offer.waited_s * 1000).toISOString();
  const path = offer.path.map((step) => step.title || step.option).filter(Boolean);
  return (
    <section class={`offer${compact ? " compact" : ""}`} aria-labelledby="offer-title" data-offer={offer.id}>
      <p class="visually-hidden" role="alert">{t("offer.said", { who, queue: queueOf(offer) })}</p>
      <header class="offer-head">
        <h2 id="offer-title"><Phone size={18} aria-hidden="true" class="ringing" />{titleOf(offer)}</h2>
        <Timer until={offer.expires_at} label={t("offer.ends")} />
      </header>
      <Countdown offer={offer} />
      <div class="offer-who">
        <Avatar name={offer.from_name ?? "?"} size={compact ? 32 : 48} />
        <div>
          <p class="offer-name">{who}</p>
          {offer.from_name && offer.from_address && offer.from_name !== offer.from_address && <p class="muted">{phone(offer.from_address)}</p>}
        </div>
      </div>
      <dl class="offer-facts">
        <div><dt>{t("offer.queue")}</dt><dd>{queueOf(offer)}</dd></div>
        {offer.reason && <div><dt>{t("offer.reason")}</dt><dd>{reasonOf(offer.reason)}</dd></div>}
        <div><dt>{t("offer.waited")}</dt><dd><Timer since={since} label={t("offer.waited")} /></dd></div>
        {path.length > 0 && <div class="wide"><dt>{t("offer.path")}</dt><dd>{path.join(" › ")}</dd></div>}
      </dl>
      <div class="offer-actions">
        {onDesk || offer.auto_accept ? <p class="muted">{t(onDesk ? "offer.desk" : "offer.auto")}</p> : (
          <Button kind="success" size={compact ? "normal" : "large"} icon={Phone} keyHint="enter" busy={busy} onClick={accept}>{t("offer.accept")}</Button>
        )}
        <Button size={compact ? "normal" : "large"} icon={PhoneOff} keyHint="r" disabled={busy} onClick={reject}>{t("offer.reject")}</Button>
      </div>
    </section>
  );
}

/** What is left of the time to answer, as a line that grows shorter. */
function Countdown({ offer }: { offer: Offer }) {
  const left = (Date.parse(offer.expires_at) - now.value) / 1000;
  const whole = useRef(Math.max(left, 1)).current; // from when it was first seen here
  return <div class="offer-left" aria-hidden="true"><span style={{ width: `${Math.max(0, Math.min(100, (left / whole) * 100))}%` }} /></div>;
}
