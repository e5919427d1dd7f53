import { signal } from "@preact/signals";
import { X } from "lucide-preact";
import { Button } from "./button";
import { sentence } from "./problem";
import { t } from "./texts";

export interface Notice {
  id: number;
  text: string;
  tone: "plain" | "good" | "bad";
  undo?: () => void;
}

const notices = signal<readonly Notice[]>([]);
const STAYS_MS = 6_000;
const STAYS_BAD_MS = 12_000;
const AT_MOST = 3;
let last = 0;

/** A short notice at the bottom; with `undo` it can be taken back while it is there. */
export function tell(text: string, more: { tone?: Notice["tone"]; undo?: () => void } = {}): void {
  const notice: Notice = { id: ++last, text, tone: more.tone ?? "plain", ...(more.undo && { undo: more.undo }) };
  notices.value = [...notices.value.filter((one) => one.text !== text), notice].slice(-AT_MOST);
  window.setTimeout(() => forget(notice.id), notice.tone === "bad" ? STAYS_BAD_MS : STAYS_MS);
}

/** `api.post(…).catch(tellError)`: says what went wrong, in words. */
export const tellError = (error: unknown): void => tell(sentence(error), { tone: "bad" });

const forget = (id: number): void => void (notices.value = notices.value.filter((one) => one.id !== id));

export function Toasts() {
  return (
    <div class="toasts" role="region" aria-label={t("notices")} aria-live="polite">
      {notices.value.map((one) => (
        <div key={one.id} class={`toast ${one.tone}`} role={one.tone === "bad" ? "alert" : "status"}>
          <p>{one.text}</p>
          {one.undo && (
            <Button kind="quiet" size="small" onClick={() => { forget(one.id); one.undo?.(); }}>{t("undo")}</Button>
          )}
          <Button kind="quiet" size="small" icon={X} label={t("dismiss")} onClick={() => forget(one.id)} />
        </div>
      ))}
    </div>
  );
}
