// The agent's page: what is to be done at the left, the contact in the middle, the person at the right.
import "./agent.css";
import { Coffee, Headset, PhoneOutgoing, TriangleAlert } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { api, idPart } from "../kit/api";
import { AGENT_TONE, Avatar, Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { addFinder } from "../kit/palette";
import { beforeSignOut, may } from "../kit/session";
import { Shell } from "../kit/shell";
import { EmptyState, ErrorState, Skeleton } from "../kit/states";
import { Tabs } from "../kit/tabs";
import { Timer } from "../kit/timer";
import { tell, tellError } from "../kit/toast";
import type { Desk, DeskAgent, Interaction } from "../kit/types";
import { useLoad } from "../kit/use";
import { phoneState, startPhone, stopPhone } from "../phone/phone";
import { CallPanel } from "./call";
import { CustomerTab } from "./customer";
import { chosen, commands, desk, deskError, loadDesk, offer, shown, startDesk, subject, work, type Work } from "./desk";
import { DevicesDialog } from "./devices";
import { DialDialog, dialing } from "./dialer";
import { findInDirectory } from "./directory";
import { Timeline } from "./history";
import { KnowledgeTab, ScriptTab } from "./knowledge";
import { hear, loadMessages, Messages } from "./messages";
import { callerOf, loadNames, queueOf } from "./names";
import { Notes } from "./notes";
import { AskToNotify } from "./notices";
import { OfferCard } from "./offer";
import { devicesOpen, PhoneBanners, PhoneStrip } from "./phone_strip";
import { StateSwitch } from "./state";
import { DayStatistics } from "./statistics";
import { t } from "./texts";
import { transferring } from "./transfer";
import { WrapUpPanel } from "./wrapup";

export function AgentApp() {
  const state = desk.value?.agent.state;
  const tone = state ? AGENT_TONE[state] : undefined;
  return <Shell page="agent" {...(tone && { tone })}><AgentPage /></Shell>;
}

function AgentPage() {
  useEffect(() => {
    void loadNames();
    const stop = startDesk(hear, () => void loadMessages().catch(() => undefined)); // the live socket brings the next ones
    const unlist = addFinder(async (text) => (await findInDirectory(text)).items.flatMap((one) => {
      const talking = (desk.value?.items.length ?? 0) > 0;
      if (!talking && one.kind !== "number") return [];
      const run = (): void => {
        if (talking) transferring.value = one;
        else dialing.value = { number: one.id };
      };
      return [{ id: `dir-${one.kind}-${one.id}`, title: talking ? t("transfer.toName", { name: one.name }) : t("customer.call", { number: one.name }), group: t(`kind.${one.kind}`), run }];
    }));
    beforeSignOut(async () => {
      if ((desk.value?.items.length ?? 0) > 0) {
        tell(t("signOut.call"), { tone: "bad" });
        return false;
      }
      stopPhone();
      await commands.end().catch(() => undefined); // the session ends all the same
      return true;
    });
    return () => { stop(); unlist(); };
  }, []);
  const ready = desk.value !== null;
  useEffect(() => {
    if (!ready || !desk.value) return;
    if (desk.value.agent.state === "signed_out") commands.begin().catch(tellError);
    if (desk.value.phone.kind === "web") void startPhone();
  }, [ready]);
  const now = desk.value;
  if (now) return <Columns snapshot={now} />;
  return deskError.value !== null ? <ErrorState error={deskError.value} onRetry={() => void loadDesk()} /> : <Skeleton lines={8} />;
}

const openStates = (): void => document.querySelector<HTMLElement>(".state-now")?.click();

type View = "list" | "work" | "side";

function Columns({ snapshot }: { snapshot: Desk }) {
  const [view, setView] = useState<View>("work");
  const { agent } = snapshot;
  const incoming = offer.value;
  const current = shown.value;
  const idle = agent.state === "not_ready";
  const toggleReady = (): void => {
    if (idle) void commands.state("ready").catch(tellError);
    else openStates();
  };
  useActions([
    { id: "ready", title: t("action.pauseReady"), key: "p", group: t("keys.page"), run: toggleReady },
    { id: "devices", title: t("phone.devices"), group: t("keys.page"), run: () => void (devicesOpen.value = true) },
    { id: "dial", title: t("dial.title"), key: "d", group: t("keys.page"), disabled: !may("calls.place") || snapshot.items.length > 0, run: () => void (dialing.value = { number: "" }) },
  ]);
  useEffect(() => { if (incoming || current) setView("work"); }, [incoming?.id, current?.id]);
  const views: [View, string][] = [["list", t("tab.list")], ["work", t("tab.work")], ["side", t("tab.customer")]];
  return (
    <div class="desk" data-view={view}>
      <h1 class="visually-hidden">{t("desk")}</h1>
      <div class="desk-banners"><PhoneBanners /></div>
      <div class="desk-views" role="tablist" aria-label={t("tabs.views")}>
        {views.map(([id, title]) => <button key={id} type="button" role="tab" aria-selected={view === id} onClick={() => setView(id)}>{title}</button>)}
      </div>
      <div class="desk-left">
        <StateSwitch agent={agent} />
        <Messages />
        {incoming && current && <OfferCard key={incoming.id} offer={incoming} compact />}
        <WorkList />
        <div class="desk-left-foot">
          {may("calls.place") && <Button icon={PhoneOutgoing} keyHint="d" disabled={snapshot.items.length > 0} onClick={() => void (dialing.value = { number: "" })}>{t("dial.title")}</Button>}
          <DayStatistics />
        </div>
      </div>
      <div class="desk-middle">
        {current ? <Contact key={current.id} work={current} version={snapshot.measured_at} /> : incoming ? <OfferCard key={incoming.id} offer={incoming} /> : <Idle agent={agent} />}
      </div>
      <aside class="desk-right" aria-label={t("tabs.side")}><SidePanel /></aside>
      <div class="desk-phone"><PhoneStrip /></div>
      <DevicesDialog />
      <DialDialog />
    </div>
  );
}

function WorkList() {
  const all = work.value;
  return (
    <section class="work" aria-labelledby="work-title">
      <h2 id="work-title">{t("items.title")}</h2>
      {all.length === 0 && <p class="muted">{t("items.none")}</p>}
      <ul>
        {all.map((one) => (
          <li key={one.id}>
            <button type="button" class="work-one" aria-current={shown.value?.id === one.id ? "true" : undefined} onClick={() => void (chosen.value = one.id)}>
              <WorkLine work={one} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function WorkLine({ work: one }: { work: Work }) {
  if (one.kind === "wrap_up") {
    return (
      <>
        <span class="work-words"><strong>{t(one.wrapUp.until ? "wrap.title" : "wrap.owedTitle")}</strong><Badge tone={one.wrapUp.until ? "warn" : "bad"} quiet>{t(one.wrapUp.until ? "item.wrapUp" : "item.owed")}</Badge></span>
        {one.wrapUp.until && <Timer until={one.wrapUp.until} label={t("wrap.left")} />}
      </>
    );
  }
  const { item } = one;
  return (
    <>
      <Avatar name={item.from_name ?? "?"} size={32} />
      <span class="work-words">
        <strong>{callerOf(item)}</strong>
        <span class="muted small">{queueOf(item)}</span>
        <Badge tone={item.held ? "warn" : item.connected_at ? "good" : "busy"} quiet>{t(item.held ? "item.held" : item.connected_at ? "item.talking" : "item.ringing")}</Badge>
      </span>
      {item.connected_at && <Timer since={item.connected_at} />}
    </>
  );
}

function Contact({ work: one, version }: { work: Work; version: string }) {
  const record = useLoad((abort) => api.get<Interaction>(`/interactions/${idPart(one.id)}`, abort), [one.id, one.kind]);
  return (
    <div class="contact">
      {one.kind === "item" ? <CallPanel item={one.item} /> : <WrapUpPanel wrapUp={one.wrapUp} record={record.data} />}
      {one.kind === "item" && <Notes interaction={one.id} />}
      <Timeline interaction={one.id} version={version} />
    </div>
  );
}

function Idle({ agent }: { agent: DeskAgent }) {
  const ready = agent.state === "ready";
  const missed = agent.state === "not_ready" && agent.reason === "missed_offer";
  if (agent.state === "signed_out") return <EmptyState icon={Coffee} title={t("state.signed_out")}><p>{t("state.ended")}</p></EmptyState>;
  return (
    <div class="idle">
      <EmptyState icon={ready ? Headset : Coffee} title={t(ready ? "idle.ready" : missed ? "idle.missed" : "idle.notReady")}>
        {desk.value?.phone.kind === "web" && phoneState.value !== "up" && <p class="idle-phone"><TriangleAlert size={16} aria-hidden="true" />{t("idle.noPhone")}</p>}
        <p>{t(ready ? "idle.readyText" : missed ? "idle.missedText" : "idle.notReadyText")}</p>
        {!ready && agent.state !== "reserved" && <Button kind="success" size="large" keyHint="p" onClick={() => void commands.state("ready").catch(tellError)}>{t("state.setReady")}</Button>}
      </EmptyState>
      <AskToNotify />
    </div>
  );
}

function SidePanel() {
  const [tab, setTab] = useState("customer");
  const id = subject.value;
  const item = desk.value?.items.find((one) => one.interaction === id) ?? offer.value;
  const about = item?.interaction === id ? item : null;
  const queue = about?.queue ?? null;
  useActions((["customer", "knowledge", "script"] as const).map((one, at) => ({ id: `tab-${one}`, title: t(`tab.${one}`), key: String(at + 1), group: t("keys.page"), run: () => setTab(one) })));
  return (
    <Tabs
      label={t("tabs.side")} value={tab} onChange={setTab}
      tabs={[
        { id: "customer", title: t("tab.customer"), content: () => <CustomerTab interaction={id} /> },
        { id: "knowledge", title: t("tab.knowledge"), content: () => <KnowledgeTab queue={queue} /> },
        { id: "script", title: t("tab.script"), content: () => <ScriptTab queue={queue} reason={about?.reason ?? null} /> },
      ]}
    />
  );
}
