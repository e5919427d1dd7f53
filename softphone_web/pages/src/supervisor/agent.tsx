// One agent in the drawer: what they do, their state, and a word to them.
import { MessageSquare } from "lucide-preact";
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Select } from "../kit/field";
import { notReadyReasons } from "../kit/reasons";
import { may } from "../kit/session";
import { Timer } from "../kit/timer";
import { tell, tellError } from "../kit/toast";
import { useBusy, useLoad } from "../kit/use";
import { Drawer } from "./drawer";
import { agentTone, whoIs } from "./lists";
import type { BoardAgent, BoardItem } from "./model";
import { queueTitle } from "./store";
import { t, word } from "./texts";

export function AgentDrawer({ agent, item, open, onClose, write }: { agent: BoardAgent; item: BoardItem | undefined; open: (item: string) => void; onClose: () => void; write: (agent: string) => void }) {
  return (
    <Drawer
      id={agent.id} label={`${t("drawer.agent")} ${agent.name}`} onClose={onClose}
      head={
        <>
          <h2>{agent.name}</h2>
          <p class="row small"><Badge tone={agentTone(agent.state)}>{word("state", agent.state)}</Badge><Timer since={agent.since} /><span class="muted">{agent.reason_title ?? agent.reason}</span></p>
        </>
      }
    >
      <section class="drawer-part">
        <h3>{t("agent.now")}</h3>
        {item ? <Button onClick={() => open(item.id)}>{whoIs(item)} · {item.queue_title ?? ""}</Button> : <p class="muted">{t("agent.nothing")}</p>}
      </section>
      {may("agents.set_state") && <Force agent={agent} />}
      <section class="drawer-part">
        <h3>{t("agent.queues")}</h3>
        <p>{agent.queues.map(queueTitle).join(" · ") || "—"}</p>
        <p class="row"><span class="muted">{t("col.phone")}</span><Badge quiet tone={agent.endpoint_online === false ? "bad" : agent.endpoint_online ? "good" : "off"}>{t(agent.endpoint_online === true ? "phone.online" : "phone.offline")}</Badge></p>
      </section>
      {may("messages.send") && <Button icon={MessageSquare} onClick={() => write(agent.id)}>{t("message.new")}</Button>}
    </Drawer>
  );
}

const STATES = ["ready", "not_ready", "signed_out"] as const;

function Force({ agent }: { agent: BoardAgent }) {
  const reasons = useLoad(notReadyReasons, []);
  const [state, setState] = useState("");
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const [busy, run] = useBusy();
  const force = (): void => {
    if (state === "not_ready" && !reason) {
      setError(t("force.noReason"));
      return;
    }
    setError("");
    const said = t("told.state", { agent: agent.name, state: word("state", state) });
    void run(() => api.post(`/agents/${idPart(agent.id)}/force-state`, { state, ...(state === "not_ready" && { reason }) }).then(() => tell(said, { tone: "good" }), tellError));
  };
  return (
    <section class="drawer-part">
      <h3>{t("force.title")}</h3>
      <div class="steer">
        <Select label={t("force.state")} value={state} placeholder={t("steer.choose")} options={STATES.filter((one) => one !== agent.state).map((one) => ({ value: one, title: t(`state.${one}`) }))} onChange={setState} />
        {state !== "not_ready" && <Button disabled={!state || busy} onClick={force}>{t("force.do")}</Button>}
        {state === "not_ready" && <span />}
        {state === "not_ready" && <Select label={t("force.reason")} value={reason} error={error} placeholder={t("steer.choose")} options={(reasons.data ?? []).map((one) => ({ value: one.code, title: one.title }))} onChange={setReason} />}
        {state === "not_ready" && <Button disabled={busy} onClick={force}>{t("force.do")}</Button>}
      </div>
    </section>
  );
}
