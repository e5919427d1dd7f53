// The agent's state, and how it is changed.
import { ChevronDown, LogOut } from "lucide-preact";
import { AGENT_TONE, Mark } from "../kit/badge";
import { Button } from "../kit/button";
import { Menu, MenuItem } from "../kit/menu";
import { Timer } from "../kit/timer";
import { notReadyReasons } from "../kit/reasons";
import { tellError } from "../kit/toast";
import type { DeskAgent } from "../kit/types";
import { useBusy, useLoad } from "../kit/use";
import { commands, desk } from "./desk";
import { t } from "./texts";

/** Reasons that the platform gives itself. */
const ownPause = (code: string | null): string => t.found(`pause.${code ?? ""}`) ?? code ?? "";

export const stateWord = (agent: DeskAgent): string => t(`state.${agent.state}`);


export function StateSwitch({ agent }: { agent: DeskAgent }) {
  const reasons = useLoad(notReadyReasons, []);
  const [busy, run] = useBusy();
  const titleOf = (code: string | null): string => reasons.data?.find((one) => one.code === code)?.title ?? ownPause(code);
  const act = (work: () => Promise<unknown>): void => void run(() => work().catch(tellError));
  if (agent.state === "signed_out") {
    return (
      <section class="state-card" aria-label={t("state.title")}>
        <p class="muted">{t("state.ended")}</p>
        <Button kind="primary" size="large" busy={busy} onClick={() => act(commands.begin)}>{t("state.begin")}</Button>
      </section>
    );
  }
  // Who owes an outcome gives that first; the button would be refused, and draw the eye from what is to be done.
  const idle = agent.state === "not_ready" && !desk.value?.wrap_ups.some((one) => one.until === null && one.disposition_required);
  return (
    <section class={`state-card ${AGENT_TONE[agent.state] ?? "idle"}`} aria-label={t("state.title")}>
      <Menu
        label={t("state.change")}
        trigger={(attributes) => (
          <button type="button" class="state-now" {...attributes}>
            <span class="visually-hidden">{t("state.title")}: </span>
            <Mark tone={AGENT_TONE[agent.state] ?? "idle"} />
            <span class="state-words">
              <strong>{stateWord(agent)}</strong>
              {agent.state === "not_ready" && agent.reason && <span class="small">{titleOf(agent.reason)}</span>}
              {agent.wanted && <span class="small">{t("state.wanted", { what: agent.wanted_reason ? titleOf(agent.wanted_reason) : t(`state.${agent.wanted}`) })}</span>}
            </span>
            <Timer since={agent.since} />
            <ChevronDown size={16} aria-hidden="true" />
            <span class="visually-hidden">. {t("state.change")}</span>
          </button>
        )}
      >
        <MenuItem current={agent.state === "ready"} onClick={() => act(() => commands.state("ready"))}>
          <Mark tone="good" />{t("state.ready")}
        </MenuItem>
        <p class="menu-title">{t("state.why")}</p>
        {(reasons.data ?? []).map((one) => (
          <MenuItem key={one.code} current={agent.state === "not_ready" && agent.reason === one.code} onClick={() => act(() => commands.state("not_ready", one.code))}>
            <Mark tone="idle" />{one.title}
          </MenuItem>
        ))}
        {reasons.error !== null && <p class="menu-title">{t("state.reasonsFailed")}</p>}
        <hr />
        <MenuItem onClick={() => act(commands.end)}><LogOut size={16} aria-hidden="true" />{t("state.end")}</MenuItem>
      </Menu>
      {idle && (
        <Button kind="success" keyHint="p" busy={busy} onClick={() => act(() => commands.state("ready"))}>{t("state.setReady")}</Button>
      )}
    </section>
  );
}
