// While the agent asks somebody else: complete, alternate, talk together, or go back.
import { ArrowLeftRight, PhoneForwarded, Undo2, Users } from "lucide-preact";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { tellError } from "../kit/toast";
import type { DeskItem, Leg } from "../kit/types";
import { useBusy } from "../kit/use";
import { commands } from "./desk";
import { callerOf, legName } from "./names";
import { t } from "./texts";

export function ConsultBar({ item, consult }: { item: DeskItem; consult: Leg }) {
  const [busy, run] = useBusy();
  const name = legName(consult);
  const ringing = consult.state === "ringing";
  const act = (what: "complete" | "cancel" | "swap" | "conference"): void => void run(() => commands.consult(item.interaction, what).catch(tellError));
  const group = t("keys.call");
  useActions([
    { id: "consult-complete", title: t("consult.complete"), key: "enter", group, run: () => act("complete"), disabled: ringing },
    { id: "consult-swap", title: t("consult.swap"), key: "w", group, run: () => act("swap"), disabled: ringing },
    { id: "consult-conference", title: t("consult.conference"), key: "c", group, run: () => act("conference"), disabled: ringing },
    { id: "consult-cancel", title: t("consult.cancel"), key: "escape", group, run: () => act("cancel") },
  ]);
  return (
    <section class="consult" role="status" aria-live="polite">
      <div>
        <strong>{ringing ? t("consult.ringing", { name }) : consult.state === "held" ? t("consult.held", { name: callerOf(item) }) : t("consult.talking", { name })}</strong>
        <p class="muted small">{t("consult.waiting", { name: consult.state === "held" ? name : callerOf(item) })}</p>
      </div>
      <div class="row">
        <Button kind="primary" icon={PhoneForwarded} keyHint="enter" disabled={busy || ringing} onClick={() => act("complete")}>{t("consult.complete")}</Button>
        <Button icon={ArrowLeftRight} keyHint="w" disabled={busy || ringing} onClick={() => act("swap")}>{t("consult.swap")}</Button>
        <Button icon={Users} keyHint="c" disabled={busy || ringing} onClick={() => act("conference")}>{t("consult.conference")}</Button>
        <Button icon={Undo2} keyHint="escape" disabled={busy} onClick={() => act("cancel")}>{t("consult.cancel")}</Button>
      </div>
    </section>
  );
}
