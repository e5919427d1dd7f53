// Microphone and loudspeaker: choosing, trying, and what the line measures now.
import { Volume2 } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Check, Choice, Select } from "../kit/field";
import { percent } from "../kit/format";
import { locale } from "../kit/i18n";
import { askToNotify, permission } from "../kit/notify";
import { tellError } from "../kit/toast";
import { applySpeaker, choose, devices, listDevices, meter, microphone, playTest, ringer, speaker } from "../phone/audio";
import { localStream, quality, replaceMicrophone, startPhone, stopPhone } from "../phone/phone";
import { desk, loadDesk } from "./desk";
import { devicesOpen } from "./phone_strip";
import { t } from "./texts";

const optionsOf = (list: readonly MediaDeviceInfo[]) => list.filter((one) => one.deviceId !== "default").map((one) => ({ value: one.deviceId, title: one.label || one.deviceId }));

export function DevicesDialog() {
  return devicesOpen.value ? <Open /> : null;
}

function Open() {
  const kind = desk.value?.phone.kind ?? "web";
  useEffect(() => void listDevices().catch(() => undefined), []);
  const setKind = (next: string): void => void api.put("/me/phone/kind", { kind: next }).then(async () => {
    await loadDesk();
    if (next === "desk") stopPhone();
    else await startPhone();
  }).catch(tellError);
  return (
    <Dialog title={t("phone.devices")} onClose={() => void (devicesOpen.value = false)}>
      <Choice label={t("devices.kind")} value={kind} onChange={setKind} options={[{ value: "web", title: t("devices.web") }, { value: "desk", title: t("devices.desk") }]} />
      {kind === "web" && (
        <>
          <Select label={t("devices.microphone")} value={microphone.value} placeholder={t("devices.default")} options={optionsOf(devices.value.microphones)} onChange={(id) => { choose("microphone", id); void replaceMicrophone(); }} />
          <Level />
          <Output name="speaker" label={t("devices.speaker")} value={speaker.value} />
          <Output name="ringer" label={t("devices.ringer")} value={ringer.value} />
        </>
      )}
      <Check
        label={t("devices.notify")} checked={permission.value === "granted"} disabled={permission.value !== "default"} onChange={() => void askToNotify()}
        {...(permission.value === "denied" && { hint: t("notify.denied") })}
      />
      {kind === "web" && <QualityFigures />}
    </Dialog>
  );
}

function Output({ name, label, value }: { name: "speaker" | "ringer"; label: string; value: string }) {
  return (
    <div class="device-row">
      <Select label={label} value={value} placeholder={t("devices.default")} options={optionsOf(devices.value.speakers)} onChange={(id) => { choose(name, id); void applySpeaker(); }} />
      <Button icon={Volume2} onClick={() => void playTest(value)}>{t("devices.test")}</Button>
    </div>
  );
}

function Level() {
  const [level, setLevel] = useState(0);
  const stream = localStream.value;
  useEffect(() => (stream ? meter(stream, setLevel) : undefined), [stream]);
  const label = t("devices.level");
  return (
    <div class="field">
      <span class="device-label">{label}</span>
      <div class="level" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(level * 100)}><span style={{ transform: `scaleX(${level})` }} /></div>
      <p class="field-hint">{t("devices.levelHint")}</p>
    </div>
  );
}

function QualityFigures() {
  const now = quality.value;
  const known = now.mos !== null;
  const ms = (value: number | null): string => (value === null ? "—" : `${Math.round(value)} ms`);
  return (
    <section class="part">
      <h3>{t("devices.quality")}: {t(`quality.${now.verdict}`)}</h3>
      <dl class="figures-row">
        <div><dt>{t("quality.loss")}</dt><dd>{known ? percent(now.loss) : "—"}</dd></div>
        <div><dt>{t("quality.jitter")}</dt><dd>{known ? ms(now.jitterMs) : "—"}</dd></div>
        <div><dt>{t("quality.rtt")}</dt><dd>{ms(now.roundTripMs)}</dd></div>
        <div title={t("quality.mosHint")}><dt>{t("quality.mos")}</dt><dd>{now.mos === null ? "—" : now.mos.toLocaleString(locale(), { maximumFractionDigits: 1, minimumFractionDigits: 1 })}</dd></div>
      </dl>
      <p class="field-hint">{t("quality.mosHint")}</p>
    </section>
  );
}
