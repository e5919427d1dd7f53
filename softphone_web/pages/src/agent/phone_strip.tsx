// The telephone's own state: connected or not, how good the line is, and what to do when it is not.
import { Headphones, Mic, Phone, PhoneOff, RotateCw, SignalHigh, SignalLow, SignalMedium } from "lucide-preact";
import { signal } from "@preact/signals";
import { Mark, type Tone } from "../kit/badge";
import { Button } from "../kit/button";
import { Banner } from "../kit/states";
import { badNetwork, microphoneProblem, phoneState, quality, startPhone, takePhone } from "../phone/phone";
import type { PhoneState } from "../phone/machine";
import { desk } from "./desk";
import { t } from "./texts";

export const devicesOpen = signal(false);

const TONE: Record<PhoneState, Tone> = {
  off: "off", asking: "warn", denied: "bad", minting: "warn", connecting: "warn", calling: "warn", up: "good", waiting: "warn", offline: "bad", elsewhere: "off",
};
const SIGNAL = { good: SignalHigh, fair: SignalMedium, bad: SignalLow, unknown: SignalHigh };

export function PhoneStrip() {
  const onDesk = desk.value?.phone.kind === "desk";
  const state = phoneState.value;
  const verdict = quality.value.verdict;
  const Bars = SIGNAL[verdict];
  return (
    <section class="phone" aria-label={t("phone.title")} data-phone={onDesk ? "desk" : state}>
      {onDesk ? <Phone size={18} aria-hidden="true" /> : state === "denied" || state === "off" ? <PhoneOff size={18} aria-hidden="true" /> : <Headphones size={18} aria-hidden="true" />}
      <span class="phone-words" role="status">
        <span>{onDesk ? t("phone.desk") : t("phone.title")}</span>
        {!onDesk && <span class="phone-state"><Mark tone={TONE[state]} />{t(`phone.${state}`)}</span>}
      </span>
      {!onDesk && state === "up" && verdict !== "unknown" && (
        <span class={`phone-quality ${verdict}`} title={t(`quality.${verdict}`)}><Bars size={18} aria-hidden="true" /><span class="visually-hidden">{t(`quality.${verdict}`)}</span></span>
      )}
      <Button kind="quiet" size="small" icon={Mic} label={t("phone.devices")} onClick={() => void (devicesOpen.value = true)} />
    </section>
  );
}

/** What is wrong with the phone, over the whole page's width: it is the one thing that stops all work. */
export function PhoneBanners() {
  const state = phoneState.value;
  if (desk.value?.phone.kind === "desk") return null;
  if (state === "denied") {
    return (
      <Banner tone="bad" icon={PhoneOff} action={<Button size="small" icon={RotateCw} onClick={() => void startPhone()}>{t("phone.retry")}</Button>}>
        {t(`mic.${microphoneProblem.value ?? "denied"}`)}
      </Banner>
    );
  }
  if (state === "elsewhere") {
    return (
      <Banner tone="warn" icon={Headphones} action={<Button size="small" kind="primary" onClick={takePhone}>{t("phone.take")}</Button>}>
        {t("phone.elsewhereText")}
      </Banner>
    );
  }
  return badNetwork.value ? <Banner tone="warn" icon={SignalLow}>{t("net.bad")}</Banner> : null;
}
