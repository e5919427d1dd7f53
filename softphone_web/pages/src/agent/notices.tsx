// Whether the browser may tell of calls and messages while the person is at another window: asked once, in a quiet
// moment, and by a press of theirs. Later it is in the sheet of the devices.
import { signal } from "@preact/signals";
import { Bell } from "lucide-preact";
import { Button } from "../kit/button";
import { askToNotify, permission } from "../kit/notify";
import { t } from "./texts";

const KEY = "rimay.notify.later";
const later = signal(typeof localStorage === "undefined" || localStorage.getItem(KEY) === "1");

export function AskToNotify() {
  if (permission.value !== "default" || later.value) return null;
  const notNow = (): void => {
    later.value = true;
    localStorage.setItem(KEY, "1");
  };
  return (
    <section class="ask-notify" aria-label={t("devices.notify")}>
      <p><Bell size={18} aria-hidden="true" />{t("notify.offer")}</p>
      <div class="row">
        <Button size="small" onClick={() => void askToNotify()}>{t("notify.allow")}</Button>
        <Button size="small" kind="quiet" onClick={notNow}>{t("notify.later")}</Button>
      </div>
    </section>
  );
}
