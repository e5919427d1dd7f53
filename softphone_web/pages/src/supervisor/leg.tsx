// The supervisor's own open leg: set up with the first call that is listened to, not before; nobody is asked for a microphone
// only to look at a board.
import { effect } from "@preact/signals";
import { Headphones, MicOff } from "lucide-preact";
import { phoneState, setMuted, startPhone } from "../phone/phone";
import type { PhoneState } from "../phone/machine";
import { tell } from "../kit/toast";
import type { Listening } from "./model";
import { t } from "./texts";

const GIVE_UP_MS = 15_000;
/** `elsewhere`: the leg is in another tab of the same person; the platform joins that one. */
const READY: readonly PhoneState[] = ["up", "elsewhere"];

/** True when there is a leg to listen with; what is in the way was told. */
export async function needLeg(): Promise<boolean> {
  if (READY.includes(phoneState.value)) return true;
  tell(t("leg.starting"));
  await startPhone();
  const found = await settled();
  if (found === "denied") tell(t("leg.denied"), { tone: "bad" });
  else if (found === null) tell(t("leg.failed"), { tone: "bad" });
  return found !== null && READY.includes(found);
}

function settled(): Promise<PhoneState | null> {
  return new Promise((resolve) => {
    let stop: () => void = () => undefined;
    const late = window.setTimeout(() => { stop(); resolve(null); }, GIVE_UP_MS);
    stop = effect(() => {
      const now = phoneState.value;
      if (now !== "denied" && !READY.includes(now)) return;
      window.clearTimeout(late);
      queueMicrotask(() => stop());
      resolve(now);
    });
  });
}

/** Who only listens is not heard, whatever the switch does: the microphone itself is silent. */
export const speak = (mode: Listening | null): void => setMuted(mode === "listen" || mode === null);

export function LegState() {
  const state = phoneState.value;
  if (state === "off") return null;
  const bad = state === "denied";
  const text = t(bad ? "leg.denied" : READY.includes(state) ? "leg.up" : "leg.connecting");
  return (
    <span class={`rail-leg${bad ? " bad" : READY.includes(state) ? " up" : ""}`} data-state={state} role="status" title={text}>
      {bad ? <MicOff size={18} aria-hidden="true" /> : <Headphones size={18} aria-hidden="true" />}
      <span class="small">{text}</span>
    </span>
  );
}
