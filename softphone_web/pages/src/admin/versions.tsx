import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { day, timeOfDay } from "../kit/format";
import { may } from "../kit/session";
import { ErrorState, Skeleton } from "../kit/states";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy, useLoad } from "../kit/use";
import { DiffView } from "./diffview";
import { t } from "./texts";

export interface Version { version: string; at: string; by: string; comment: string; active: boolean }

export function Versions({ flow, versions, text, onRolledBack }: { flow: string; versions: readonly Version[]; text: string; onRolledBack: () => void }) {
  const [open, setOpen] = useState<Version | null>(null);
  return (
    <>
      <ol class="versions">
        {versions.map((one) => (
          <li key={`${one.version} ${one.at}`}>
            <div>
              <p><code>{one.version}</code> {one.active && <Badge tone="good">{t("flow.active")}</Badge>}</p>
              <p>{one.comment}</p>
              <p class="muted small">{day(one.at)}, {timeOfDay(one.at)} · {one.by ? t("flow.by", { who: one.by }) : t("flow.shipped")}</p>
            </div>
            <Button size="small" onClick={() => setOpen(one)}>{t("flow.compare")}</Button>
          </li>
        ))}
      </ol>
      {open && <Compare flow={flow} version={open} text={text} onClose={() => setOpen(null)} onRolledBack={() => { setOpen(null); onRolledBack(); }} />}
    </>
  );
}

function Compare({ flow, version, text, onClose, onRolledBack }: { flow: string; version: Version; text: string; onClose: () => void; onRolledBack: () => void }) {
  const old = useLoad((signal) => api.get<{ yaml: string }>(`/flows/${idPart(flow)}/versions/${version.version}`, signal), [version.version]);
  const [busy, run] = useBusy();
  const title = t("flow.diffTitle", { version: version.version });
  const back = (): void =>
    void run(() => api.post(`/flows/${idPart(flow)}/roll-back`, { version: version.version }).then(() => { tell(t("flow.rolledBack", { version: version.version }), { tone: "good" }); onRolledBack(); }, tellError));
  return (
    <Dialog
      title={title} size="wide" onClose={onClose}
      actions={<><Button onClick={onClose}>{kit("close")}</Button>{may("flows.write") && !version.active && <Button kind="primary" busy={busy} onClick={back}>{t("flow.rollBack")}</Button>}</>}
    >
      {old.data ? <DiffView before={old.data.yaml} after={text} label={title} /> : old.error ? <ErrorState error={old.error} onRetry={old.reload} /> : <Skeleton lines={8} />}
    </Dialog>
  );
}
