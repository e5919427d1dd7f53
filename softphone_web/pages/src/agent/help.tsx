import { useState } from "preact/hooks";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Area } from "../kit/field";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy } from "../kit/use";
import { commands } from "./desk";
import { t } from "./texts";

/** Ask a supervisor for help; the call goes on meanwhile. */
export function HelpDialog({ interaction, onClose }: { interaction: string; onClose: () => void }) {
  const [text, setText] = useState("");
  const [busy, run] = useBusy();
  const send = (): void => void run(() => commands.askForHelp(interaction, text.trim()).then(() => {
    tell(t("help.sent"), { tone: "good" });
    onClose();
  }, tellError));
  return (
    <Dialog
      title={t("help.title")} size="small" onClose={onClose} onSubmit={send}
      actions={<><Button onClick={onClose}>{kit("cancel")}</Button><Button kind="primary" type="submit" busy={busy} disabled={!text.trim()}>{t("help.send")}</Button></>}
    >
      <Area label={t("help.text")} hint={t("help.hint")} value={text} onInput={setText} attributes={{ maxlength: 280, "data-autofocus": true } as never} />
    </Dialog>
  );
}
