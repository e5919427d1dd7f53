// One interaction in the drawer: what happens, supervise it, steer it, why this agent, how it came here.
import { Ear, Hand, Headset, Megaphone, MessageCircle, MicOff, PhoneOff, Send, Square } from "lucide-preact";
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { timeExact } from "../kit/format";
import { language } from "../kit/i18n";
import { may } from "../kit/session";
import { useActions } from "../kit/actions";
import { muted, setMuted } from "../phone/phone";
import { Banner, ErrorState, Skeleton } from "../kit/states";
import { Timer } from "../kit/timer";
import { useLoad } from "../kit/use";
import { can } from "./acts";
import { Drawer } from "./drawer";
import { aboutWhat, PHASE_TONE, RISK_TONE, whoIs } from "./lists";
import type { Board, BoardItem } from "./model";
import { Steer } from "./steer";
import { own, supervise, useSupervision } from "./supervise";
import { queueTitle } from "./store";
import { t, word } from "./texts";
import { timeline, type FactOut } from "./timeline";

interface Routing { items: { at: string; agent: string | null; outcome: string | null; sentence: string }[] }

export function ItemDrawer({ item, board, onClose, write }: { item: BoardItem; board: Board; onClose: () => void; write: (agent: string) => void }) {
  const waits = item.phase === "queued" ? item.sla : null;
  return (
    <Drawer
      id={item.id} label={`${t("drawer.item")} ${whoIs(item)}`} onClose={onClose}
      head={
        <>
          <h2>{whoIs(item)}</h2>
          <p class="row small">
            <Badge tone={waits ? RISK_TONE[waits.risk] : (PHASE_TONE[item.phase] ?? "off")}>{waits && waits.risk !== "ok" ? word("risk", waits.risk) : word("phase", item.phase)}</Badge>
            <Timer since={item.waiting_since ?? item.in_phase_since} />
            <span class="muted">{[item.queue_title ?? queueTitle(item.queue), aboutWhat(item)].filter(Boolean).join(" · ")}</span>
          </p>
        </>
      }
    >
      {own(item.agent) && can(item, "hangUp") ? <Own item={item} /> : <Supervise item={item} write={write} />}
      <Steer item={item} board={board} />
      <Why item={item} />
      <Timeline item={item} board={board} />
    </Drawer>
  );
}

/** Taken over: the supervisor is the agent now. What more there is to do with a call is on the agent's page. */
function Own({ item }: { item: BoardItem }) {
  const hangUp = (): void => void supervise.hangUp(item.id);
  const mute = (): void => setMuted(!muted.value);
  useActions([
    { id: "own-mute", title: t("own.mute"), key: "m", group: t("own.group"), run: mute },
    { id: "own-hangup", title: t("own.hangup"), key: "alt+x", group: t("own.group"), run: hangUp },
  ]);
  return (
    <section class="drawer-part">
      <h3>{t("own.group")}</h3>
      <Banner tone="info" icon={Headset}>{t("own.told")}</Banner>
      <div class="acts">
        <Button icon={MicOff} keyHint="m" pressed={muted.value} onClick={mute}>{t("own.mute")}</Button>
        <Button kind="danger" icon={PhoneOff} keyHint="alt+x" onClick={hangUp}>{t("own.hangup")}</Button>
      </div>
    </section>
  );
}

function Supervise({ item, write }: { item: BoardItem; write: (agent: string) => void }) {
  const now = useSupervision();
  const mine = now.interaction === item.id ? now.mode : null;
  if (!may("supervise.listen")) return null;
  const speak = may("supervise.speak");
  const takes = may("supervise.take_over");
  return (
    <section class="drawer-part">
      <h3>{t("act.group")}</h3>
      {mine && <Banner tone="info" icon={Ear} action={<Button size="small" icon={Square} keyHint="s" onClick={() => void supervise.stop(item.id)}>{t("act.stop")}</Button>}>{t(`mode.${mine}`)}</Banner>}
      <div class="acts">
        <Button icon={Ear} keyHint="l" pressed={mine === "listen"} disabled={!can(item, "listen")} onClick={() => void supervise.start(item.id, "listen")}>{t("act.listen")}</Button>
        <Button icon={MessageCircle} keyHint="w" pressed={mine === "whisper"} disabled={!can(item, "whisper") || !speak} onClick={() => void supervise.start(item.id, "whisper")}>{t("act.whisper")}</Button>
        <Button icon={Megaphone} keyHint="b" pressed={mine === "barge"} disabled={!can(item, "barge") || !speak} onClick={() => void supervise.start(item.id, "barge")}>{t("act.barge")}</Button>
        {takes && <Button icon={Hand} keyHint="t" disabled={!can(item, "takeOver")} onClick={() => void supervise.takeOver(item.id)}>{t("act.takeOver")}</Button>}
      </div>
      {!can(item, "listen") ? <p class="muted small">{t("act.onlyTalking")}</p> : takes && !can(item, "takeOver") && <p class="muted small">{t("act.onlyTwo")}</p>}
      {item.agent && may("messages.send") && <Button kind="quiet" size="small" icon={Send} onClick={() => write(item.agent ?? "")}>{t("message.new")}: {item.agent_name ?? item.agent}</Button>}
    </section>
  );
}

function Why({ item }: { item: BoardItem }) {
  const routing = useLoad((signal) => api.get<Routing>(`/interactions/${idPart(item.id)}/routing`, signal), [item.id, item.phase, item.agent, language.value]);
  const last = routing.data?.items.at(-1);
  return (
    <section class="drawer-part">
      <h3>{t("why")}</h3>
      {routing.data ? <p>{last?.sentence ?? <span class="muted">{t("why.none")}</span>}</p>
        : routing.error ? <ErrorState error={routing.error} onRetry={routing.reload} /> : <Skeleton lines={2} />}
    </section>
  );
}

function Timeline({ item, board }: { item: BoardItem; board: Board }) {
  const events = useLoad((signal) => api.get<{ items: FactOut[] }>(`/interactions/${idPart(item.id)}/events?limit=500`, signal), [item.id, item.phase, item.agent, item.supervised_by, item.priority, item.queue]);
  const [names] = useState(() => new Map([...board.agents.map((one) => [one.id, one.name] as const), ...board.queues.map((one) => [one.name, one.title] as const)]));
  if (!events.data) return events.error ? <ErrorState error={events.error} onRetry={events.reload} /> : <Skeleton lines={4} />;
  return (
    <section class="drawer-part">
      <h3>{t("timeline")}</h3>
      <ol class="timeline">
        {timeline(events.data.items, (id) => names.get(id) ?? id).map((line) => (
          <li key={line.n} class={line.tone}><time>{timeExact(line.at)}</time><span>{line.text}</span></li>
        ))}
      </ol>
    </section>
  );
}
