import { signal } from "@preact/signals";
import { Phone } from "lucide-preact";
import { useState } from "preact/hooks";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Field, Select } from "../kit/field";
import { sentence } from "../kit/problem";
import { t as kit } from "../kit/texts";
import { useBusy, useLoad } from "../kit/use";
import { chosen, commands, desk } from "./desk";
import { dialable } from "./directory";
import { t } from "./texts";

/** The number to begin with, and whose it is (their document), where a card shows it; null: closed. */
export const dialing = signal<{ number: string; customer?: string } | null>(null);

export function DialDialog() {
  return dialing.value === null ? null : <Open start={dialing.value.number} customer={dialing.value.customer ?? null} />;
}

function Open({ start, customer }: { start: string; customer: string | null }) {
  const [text, setText] = useState(start);
  const [queue, setQueue] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const queues = useLoad((abort) => api.get<{ items: { name: string; title: string }[] }>("/queues", abort), []);
  const mine = (queues.data?.items ?? []).filter((one) => desk.value?.agent.queues.includes(one.name));
  const close = (): void => void (dialing.value = null);
  const call = (): void => {
    const number = dialable(text);
    if (!number) {
      setError(t("dial.bad"));
      return;
    }
    void run(() => commands.dial(number, queue || null, text === start ? customer : null).then(({ interaction }) => {
      chosen.value = interaction;
      close();
    }, (problem: unknown) => setError(sentence(problem))));
  };
  return (
    <Dialog
      title={t("dial.title")} size="small" onClose={close} onSubmit={call}
      actions={<><Button onClick={close}>{kit("cancel")}</Button><Button kind="success" type="submit" icon={Phone} busy={busy} disabled={!text.trim()}>{t("dial.call")}</Button></>}
    >
      <Field label={t("dial.number")} hint={t("dial.numberHint")} type="tel" value={text} error={error} onInput={(next) => { setText(next); setError(null); }} attributes={{ autocomplete: "off", inputmode: "tel", "data-autofocus": true } as never} />
      {mine.length > 0 && <Select label={t("dial.queue")} value={queue} onChange={setQueue} placeholder={t("dial.noQueue")} options={mine.map((one) => ({ value: one.name, title: one.title }))} />}
    </Dialog>
  );
}
