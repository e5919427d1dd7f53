// A word to an agent, to those of a queue, or to all; and what was said today.
import { useState } from "preact/hooks";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Area, Select } from "../kit/field";
import { timeOfDay } from "../kit/format";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy, useLoad } from "../kit/use";
import type { Board } from "./model";
import { t } from "./texts";

interface Message { id: string; at: string; sender_name: string; text: string }

/** `to`: an agent's id, "" for everybody. */
export function MessageDialog({ to, board, onClose }: { to: string; board: Board; onClose: () => void }) {
  const [target, setTarget] = useState(to ? `agent:${to}` : "all:");
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const [busy, run] = useBusy();
  const today = useLoad((signal) => api.get<{ items: Message[] }>("/messages", signal), []);
  const send = (): void => {
    if (!text.trim()) {
      setError(t("message.empty"));
      return;
    }
    const [kind = "all", ...id] = target.split(":");
    void run(() =>
      api.post("/messages", { to: kind === "all" ? { kind } : { kind, id: id.join(":") }, text: text.trim() }).then(() => { tell(t("told.sent"), { tone: "good" }); onClose(); }, tellError),
    );
  };
  return (
    <Dialog title={t("message.new")} onClose={onClose} onSubmit={send} actions={<><Button onClick={onClose}>{kit("cancel")}</Button><Button kind="primary" type="submit" busy={busy}>{t("message.send")}</Button></>}>
      <Select
        label={t("message.to")} value={target} onChange={setTarget}
        options={[
          { value: "all:", title: t("message.all") },
          ...board.queues.map((one) => ({ value: `queue:${one.name}`, title: t("message.queue", { name: one.title }) })),
          ...board.agents.map((one) => ({ value: `agent:${one.id}`, title: one.name })),
        ]}
      />
      <Area label={t("message.text")} value={text} onInput={setText} error={error} rows={4} attributes={{ maxLength: 1000 }} />
      <section class="stack">
        <h3>{t("message.today")}</h3>
        {today.data?.items.length ? (
          <ul class="messages">
            {today.data.items.map((one) => <li key={one.id}><time class="muted small">{timeOfDay(one.at)}</time> <strong>{one.sender_name}</strong> {one.text}</li>)}
          </ul>
        ) : <p class="muted">{t("message.none")}</p>}
      </section>
    </Dialog>
  );
}
