// The call in the middle of the page: who, the controls, consultation and conference.
import { CircleDot, CirclePause, Grid3x3, LifeBuoy, LogOut, Mic, MicOff, Pause, PhoneForwarded, PhoneOff, Play, UserMinus, Users } from "lucide-preact";
import { useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Avatar, Badge, type Tone } from "../kit/badge";
import { Button } from "../kit/button";
import { phone } from "../kit/format";
import { Banner } from "../kit/states";
import { Timer } from "../kit/timer";
import { tellError } from "../kit/toast";
import type { DeskItem, Leg } from "../kit/types";
import { useBusy } from "../kit/use";
import { muted, phoneState, setMuted } from "../phone/phone";
import { commands, desk } from "./desk";
import { ConsultBar } from "./consult";
import { HelpDialog } from "./help";
import { Keypad } from "./keypad";
import { callerOf, isConference, legName, numberOf, othersIn, queueOf, reasonOf } from "./names";
import { t } from "./texts";
import { TransferDialog, transferring } from "./transfer";

const LEG_TONE: Record<Leg["state"], Tone> = { ringing: "busy", talking: "good", held: "warn", away: "bad" };

export function CallPanel({ item }: { item: DeskItem }) {
  const [open, setOpen] = useState<"keypad" | "help" | null>(null);
  const [busy, run] = useBusy();
  const id = item.interaction;
  const agent = desk.value?.agent.id ?? "";
  const others = othersIn(item, agent);
  const conference = isConference(item);
  const onPage = desk.value?.phone.kind === "web";
  const silent = item.legs.some((one) => one.agent === agent && one.state === "away") || (onPage && phoneState.value !== "up" && phoneState.value !== "elsewhere");
  const act = (work: () => Promise<unknown>): void => void run(() => work().catch(tellError));
  const toggle = (what: typeof open): void => setOpen(open === what ? null : what);
  const hold = (): void => act(() => (item.held ? commands.resume(id) : commands.hold(id)));
  const record = (): void => act(() => commands.record(id, item.recording === "paused"));
  const group = t("keys.call");
  const records = item.recording !== "off" && item.mine;
  const hosts = conference && item.mine; // the citizen may be held while the other two talk
  const steady = item.mine && item.consult === null; // a colleague who was asked only talks
  useActions([
    { id: "mute", title: muted.value ? t("call.unmute") : t("call.mute"), key: "m", group, run: () => setMuted(!muted.value) },
    { id: "hold", title: item.held ? t("call.resume") : t("call.hold"), key: "h", group, run: hold, disabled: !steady && !hosts },
    { id: "transfer", title: t("call.transfer"), key: "t", group, run: () => void (transferring.value = "open"), disabled: !steady },
    { id: "keypad", title: t("call.keypad"), key: "k", group, run: () => toggle("keypad") },
    { id: "record", title: item.recording === "paused" ? t("call.unpause") : t("call.pause"), key: "g", group, run: record, disabled: !records },
    { id: "help", title: t("call.supervisor"), key: "s", group, run: () => setOpen("help") },
    { id: "hangup", title: t("call.hangup"), key: "alt+x", group, run: () => act(() => commands.hangup(id)) },
  ]);
  return (
    <section class="call" aria-label={t("call.with", { who: callerOf(item) })}>
      <CallHead item={item} />
      {muted.value && <Banner tone="warn" icon={MicOff}>{t("call.muted")}</Banner>}
      {silent && <Banner tone="bad">{t("call.away")}</Banner>}
      {!item.mine && !conference && <Banner tone="info" icon={Users}>{t("call.asked")}</Banner>}
      {item.supervised === "barge" && <Banner tone="info">{t("call.barge")}</Banner>}
      <div class="call-controls" role="toolbar" aria-label={t("call.controls")}>
        <Button stacked icon={muted.value ? MicOff : Mic} keyHint="m" pressed={muted.value} onClick={() => setMuted(!muted.value)}>{muted.value ? t("call.unmute") : t("call.mute")}</Button>
        <Button stacked icon={item.held ? Play : Pause} keyHint="h" pressed={item.held} disabled={busy || !(steady || hosts)} onClick={hold}>{item.held ? t("call.resume") : t("call.hold")}</Button>
        <Button stacked icon={Grid3x3} keyHint="k" pressed={open === "keypad"} onClick={() => toggle("keypad")}>{t("call.keypad")}</Button>
        {hosts ? (
          <Button stacked icon={LogOut} disabled={busy} onClick={() => act(() => commands.leave(id))}>{t("call.leave")}</Button>
        ) : (
          <Button stacked icon={PhoneForwarded} keyHint="t" disabled={!steady} onClick={() => void (transferring.value = "open")}>{t("call.transfer")}</Button>
        )}
        <Button stacked icon={item.recording === "paused" ? CircleDot : CirclePause} keyHint="g" pressed={item.recording === "paused"} disabled={busy || !records} onClick={record}>
          {item.recording === "paused" ? t("call.unpause") : t("call.pause")}
        </Button>
        <Button stacked icon={LifeBuoy} keyHint="s" onClick={() => setOpen("help")}>{t("call.supervisor")}</Button>
        <Button stacked kind="danger" icon={PhoneOff} keyHint="alt+x" disabled={busy} onClick={() => act(() => commands.hangup(id))}>{t("call.hangup")}</Button>
      </div>
      {item.consult && item.mine && !conference && <ConsultBar item={item} consult={item.consult} />}
      {open === "keypad" && <Keypad onDigit={(digit) => commands.dtmf(id, digit).catch(tellError)} onClose={() => setOpen(null)} />}
      {(others.length > 1 || conference) && <People item={item} others={others} conference={conference} onRemove={(leg) => act(() => commands.remove(id, leg.participant))} />}
      {transferring.value !== null && <TransferDialog item={item} />}
      {open === "help" && <HelpDialog interaction={id} onClose={() => setOpen(null)} />}
    </section>
  );
}

function CallHead({ item }: { item: DeskItem }) {
  const who = callerOf(item);
  const ringing = item.connected_at === null;
  return (
    <header class="call-head">
      <Avatar name={item.from_name ?? who} size={48} />
      <div class="call-who">
        <h1>{who}</h1>
        <p class="muted">
          {[item.direction === "outbound" ? t("call.outbound") : null, who === phone(numberOf(item)) ? null : phone(numberOf(item)), queueOf(item), reasonOf(item.reason)].filter(Boolean).join(" · ")}
        </p>
      </div>
      <div class="call-now">
        {item.connected_at ? <Timer since={item.connected_at} /> : <span class="call-ringing">{t("item.ringing")}</span>}
        <div class="row">
          {!ringing && <Badge tone={item.held ? "warn" : "good"}>{item.held ? t("item.held") : t("item.talking")}</Badge>}
          {!ringing && <Badge tone={item.recording === "on" ? "bad" : item.recording === "paused" ? "warn" : "off"} quiet>{t(`call.recording.${item.recording}`)}</Badge>}
        </div>
      </div>
    </header>
  );
}

function People({ item, others, conference, onRemove }: { item: DeskItem; others: Leg[]; conference: boolean; onRemove: (leg: Leg) => void }) {
  return (
    <section class="people" aria-label={t("call.people")}>
      <ul>
        {others.map((leg) => (
          <li key={leg.participant}>
            <Avatar name={legName(leg)} size={28} />
            <span class="people-name">{legName(leg)}</span>
            <Badge tone={LEG_TONE[leg.state]} quiet>{t(`leg.${leg.state}`)}</Badge>
            {conference && item.mine && leg.address !== numberOf(item) && (
              <Button kind="quiet" size="small" icon={UserMinus} label={t("call.remove", { name: legName(leg) })} onClick={() => onRemove(leg)} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
