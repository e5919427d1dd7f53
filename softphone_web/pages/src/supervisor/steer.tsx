// Move, raise, assign, end: each one line with its button, while it can be done; only the end asks again, since only that
// cannot be undone.
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Field, Select } from "../kit/field";
import { may } from "../kit/session";
import { tell, tellError } from "../kit/toast";
import { t as kit } from "../kit/texts";
import { useBusy } from "../kit/use";
import { can } from "./acts";
import type { Board, BoardItem } from "./model";
import { t } from "./texts";

export function Steer({ item, board }: { item: BoardItem; board: Board }) {
  const [queue, setQueue] = useState("");
  const [agent, setAgent] = useState("");
  const [priority, setPriority] = useState("");
  const [ending, setEnding] = useState(false);
  const [busy, run] = useBusy();
  if (!may("interactions.control", "calls.control") || !can(item, "end")) return null;
  const send = (act: string, body: unknown, said: string): void =>
    void run(() => api.post(`/interactions/${idPart(item.id)}/${act}`, body).then(() => tell(said, { tone: "good" }), tellError));
  const queueOf = board.queues.find((one) => one.name === queue);
  const agentOf = board.agents.find((one) => one.id === agent);
  return (
    <section class="drawer-part">
      <h3>{t("steer.title")}</h3>
      <div class="steer">
        {can(item, "move") && (
          <>
            <Select label={t("steer.move")} value={queue} placeholder={t("steer.choose")} options={board.queues.filter((one) => one.name !== item.queue).map((one) => ({ value: one.name, title: one.title }))} onChange={setQueue} />
            <Button disabled={!queueOf || busy} onClick={() => send("move", { queue }, t("told.moved", { queue: queueOf?.title ?? queue }))}>{t("steer.do.move")}</Button>
          </>
        )}
        {can(item, "assign") && (
          <>
            <Select label={t("steer.assign")} value={agent} placeholder={t("steer.choose")} options={board.agents.filter((one) => one.state !== "signed_out" && one.id !== item.agent).map((one) => ({ value: one.id, title: `${one.name} (${t(`state.${one.state}`)})` }))} onChange={setAgent} />
            <Button disabled={!agentOf || busy} onClick={() => send("assign", { agent }, t("told.assigned", { agent: agentOf?.name ?? agent }))}>{t("steer.do.assign")}</Button>
          </>
        )}
        {can(item, "raise") && (
          <>
            <Field label={t("steer.raise")} type="number" value={priority} onInput={setPriority} attributes={{ min: -100, max: 1000, placeholder: String(item.priority) }} />
            <Button disabled={priority === "" || busy} onClick={() => send("raise", { priority: Number(priority) }, t("told.raised", { priority }))}>{t("steer.do.raise")}</Button>
          </>
        )}
      </div>
      {!can(item, "move") && <p class="muted small">{t("steer.onlyWaiting")}</p>}
      <Button kind="quiet" attributes={{ class: "button quiet small ends" }} onClick={() => setEnding(true)}>{t("steer.end")}…</Button>
      {ending && (
        <Dialog
          title={t("steer.end")} size="small" onClose={() => setEnding(false)}
          actions={
            <>
              <Button onClick={() => setEnding(false)}>{kit("cancel")}</Button>
              <Button kind="danger" onClick={() => { setEnding(false); send("end", undefined, t("told.ended")); }}>{t("steer.end")}</Button>
            </>
          }
        >
          <p>{t("steer.endSure")}</p>
        </Dialog>
      )}
    </section>
  );
}
