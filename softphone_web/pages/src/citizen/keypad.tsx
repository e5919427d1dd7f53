import { useEffect, useState } from "preact/hooks";
import type { words } from "./texts";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/** Twelve keys; the computer's own work too. What was pressed stays readable. */
export function Keypad({ t, press }: { t: ReturnType<typeof words>; press: (key: string) => void }) {
  const [pressed, setPressed] = useState("");
  const enter = (key: string): void => {
    press(key);
    setPressed((so) => (so + key).slice(-12));
  };
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!event.ctrlKey && !event.altKey && !event.metaKey && KEYS.includes(event.key)) enter(event.key);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  return (
    <section class="keypad" aria-labelledby="keypad-title">
      <h2 id="keypad-title">{t("keypad")}</h2>
      <p class="small">{t("keypadHint")}</p>
      <output aria-label={t("pressed")}>{pressed || "\u00a0"}</output>
      <div class="keys">
        {KEYS.map((key) => (
          <button type="button" key={key} onClick={() => enter(key)}>
            {key}
          </button>
        ))}
      </div>
    </section>
  );
}
