// Listening to a call from one's own open leg, and what of it is going on.
import { signal } from "@preact/signals";
import { api, idPart } from "../kit/api";
import { session } from "../kit/session";
import { tell, tellError } from "../kit/toast";
import { readyToHear } from "../phone/phone";
import { needLeg, speak } from "./leg";
import type { Listening } from "./model";
import { t } from "./texts";

interface Now { interaction: string | null; mode: Listening | null }
const IDLE: Now = { interaction: null, mode: null };
const now = signal<Now>(IDLE);
export const useSupervision = (): Now => now.value;

/** The call is over, or somebody else ended it: nothing is going on any more. */
export function forgetUnless(ids: ReadonlySet<string>): void {
  if (now.value.interaction !== null && !ids.has(now.value.interaction)) now.value = IDLE;
}

/** Whether this person has the call in hand, as its agent: what was taken over is talked, and hung up, here. */
export const own = (agent: string | null): boolean => agent !== null && agent === session.value?.user.agent;

export const supervise = {
  async start(interaction: string, mode: Listening): Promise<void> {
    if (!(await needLeg())) return;
    if (now.value.mode === null) readyToHear();
    try {
      await api.post(`/interactions/${idPart(interaction)}/supervise`, { mode });
      speak(mode);
      now.value = { interaction, mode };
    } catch (error) {
      tellError(error);
    }
  },
  async stop(interaction: string): Promise<void> {
    try {
      await api.delete(`/interactions/${idPart(interaction)}/supervise`);
      readyToHear();
      now.value = IDLE;
    } catch (error) {
      tellError(error);
    }
  },
  async takeOver(interaction: string): Promise<void> {
    if (!(await needLeg())) return;
    try {
      await api.post(`/interactions/${idPart(interaction)}/take-over`);
      readyToHear(); // the switch has joined the leg with the citizen
      speak("barge"); // now it is their own call: see `own`
      now.value = IDLE;
      tell(t("told.takenOver"), { tone: "good" });
    } catch (error) {
      tellError(error);
    }
  },
  async hangUp(interaction: string): Promise<void> {
    try {
      await api.post(`/interactions/${idPart(interaction)}/hangup`);
    } catch (error) {
      tellError(error);
    }
  },
};
