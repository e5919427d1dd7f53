// Closing a contact: outcome, reason, notes, while the timer runs.
import { Check, Clock, TriangleAlert } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { Select } from "../kit/field";
import { sentence } from "../kit/problem";
import { Banner } from "../kit/states";
import { Timer } from "../kit/timer";
import { tell, tellError } from "../kit/toast";
import type { Interaction, WrapUp } from "../kit/types";
import { useBusy } from "../kit/use";
import { chosen, commands } from "./desk";
import { callerOf, reasonOf } from "./names";
import { Notes } from "./notes";
import { t } from "./texts";

const MORE_S = 60;

export function WrapUpPanel({ wrapUp, record }: { wrapUp: WrapUp; record: Interaction | null }) {
  const [disposition, setDisposition] = useState(wrapUp.disposition ?? "");
  const [reason, setReason] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => {
    setReason(record?.reason ?? "");
  }, [record?.id]);
  const id = wrapUp.interaction;
  const reasons = wrapUp.reasons.map((one) => ({ value: one.code, title: one.title }));
  if (reason && !reasons.some((one) => one.value === reason)) reasons.push({ value: reason, title: reasonOf(reason) });
  const missing = wrapUp.disposition_required && !disposition;
  const finish = (): void => {
    if (missing) {
      setError(t("wrap.required"));
      return;
    }
    void run(async () => {
      try {
        await commands.finish(id, disposition || null);
        chosen.value = null;
        tell(t("wrap.finished"), { tone: "good" });
      } catch (problem) {
        setError(sentence(problem));
      }
    });
  };
  const extend = (): void => void run(() => commands.extend(id, MORE_S).catch(tellError));
  useActions([
    { id: "finish", title: t("wrap.finish"), key: "ctrl+enter", inFields: true, group: t("keys.call"), run: finish },
    { id: "extend", title: t("wrap.extend"), key: "+", group: t("keys.call"), run: extend, disabled: !wrapUp.until },
  ]);
  return (
    <section class="wrap" aria-labelledby="wrap-title">
      <header class="call-head">
        <div class="call-who">
          <h1 id="wrap-title">{wrapUp.until ? t("wrap.title") : t("wrap.owedTitle")}</h1>
          {record && <p class="muted">{callerOf(record)}</p>}
        </div>
        {wrapUp.until && <div class="call-now"><span class="muted small">{t("wrap.left")}</span><Timer until={wrapUp.until} label={t("wrap.left")} /></div>}
      </header>
      {!wrapUp.until && <Banner tone="warn" icon={TriangleAlert}>{t("wrap.owed")}</Banner>}
      <div class="wrap-fields">
        <Select
          label={t("wrap.disposition")} value={disposition} placeholder={t("wrap.choose")} error={error} optional={!wrapUp.disposition_required}
          hint={wrapUp.disposition_required && error !== t("wrap.required") ? t("wrap.required") : undefined}
          options={wrapUp.dispositions.map((one) => ({ value: one.code, title: one.title }))}
          onChange={(code) => { setDisposition(code); setError(null); if (code && wrapUp.until) void commands.disposition(id, code).catch(tellError); }}
        />
        <Select
          label={t("wrap.reason")} value={reason} placeholder={t("wrap.chooseReason")} optional
          options={reasons}
          onChange={(code) => { setReason(code); if (code) void commands.reason(id, code).catch(tellError); }}
        />
      </div>
      <div class="wrap-actions">
        {wrapUp.until && <Button icon={Clock} keyHint="+" disabled={busy} onClick={extend}>{t("wrap.extend")}</Button>}
        <Button kind="primary" icon={Check} keyHint="ctrl+enter" busy={busy} onClick={finish}>{t("wrap.finish")}</Button>
      </div>
      <Notes interaction={id} />
    </section>
  );
}
