// The keys of a telephone; the keyboard's digits work while it is open.
import { X } from "lucide-preact";
import { useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { t as kit } from "../kit/texts";
import { t } from "./texts";

const KEYS: readonly [string, string][] = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""],
];
const SHOWN = 24;

export function Keypad({ onDigit, onClose }: { onDigit: (digit: string) => unknown; onClose: () => void }) {
  const [sent, setSent] = useState("");
  const press = (digit: string): void => {
    setSent((before) => (before + digit).slice(-SHOWN));
    void onDigit(digit);
  };
  useActions([
    ...KEYS.map(([digit]) => ({ id: `digit-${digit}`, title: digit, key: digit, hidden: true, run: () => press(digit) })),
    { id: "keypad-close", title: kit("close"), key: "escape", hidden: true, run: onClose },
  ]);
  return (
    <section class="keypad" aria-label={t("keypad.title")}>
      <div class="spread">
        <output class="keypad-sent" aria-label={t("keypad.sent")}>{sent || <span class="muted small">{t("keypad.hint")}</span>}</output>
        <Button kind="quiet" size="small" icon={X} label={kit("close")} onClick={onClose} />
      </div>
      <div class="keypad-keys">
        {KEYS.map(([digit, letters]) => (
          <button key={digit} type="button" class="keypad-key" onClick={() => press(digit)}>
            <strong>{digit}</strong>
            <span aria-hidden="true">{letters}</span>
          </button>
        ))}
      </div>
    </section>
  );
}
