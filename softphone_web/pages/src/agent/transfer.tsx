import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import type { DeskItem, DirectoryEntry } from "../kit/types";
import { useBusy } from "../kit/use";
import { commands, desk } from "./desk";
import { DirectorySearch } from "./directory";
import { t } from "./texts";

/** The dialog is open, perhaps with somebody chosen already; null: closed. */
export const transferring = signal<DirectoryEntry | "open" | null>(null);

/** Attended is the first choice: a person is introduced, not thrown over. A queue can only be transferred to at once. */
export function TransferDialog({ item }: { item: DeskItem }) {
  const [to, setTo] = useState<DirectoryEntry | null>(typeof transferring.value === "object" ? transferring.value : null);
  const onClose = (): void => void (transferring.value = null);
  const [busy, run] = useBusy();
  const go = (kind: "blind" | "attended"): void => {
    if (!to) return;
    void run(() => commands.transfer(item.interaction, kind, { kind: to.kind, id: to.id }).then(() => {
      if (kind === "blind") tell(t("transfer.started"), { tone: "good" });
      onClose();
    }, tellError));
  };
  const toQueue = to?.kind === "queue";
  return (
    <Dialog
      title={t("transfer.title")} onClose={onClose} onSubmit={() => go(toQueue ? "blind" : "attended")}
      actions={
        <>
          <Button onClick={onClose}>{kit("cancel")}</Button>
          <Button kind={toQueue ? "primary" : "plain"} busy={busy} disabled={!to} onClick={() => go("blind")}>{t("transfer.blind")}</Button>
          {!toQueue && <Button kind="primary" type="submit" busy={busy} disabled={!to}>{t("transfer.attended")}</Button>}
        </>
      }
    >
      <DirectorySearch label={t("transfer.to")} value={to} onChoose={setTo} without={desk.value?.agent.id ?? null} />
      <p class="muted small">{t("transfer.consultHint")}</p>
    </Dialog>
  );
}
