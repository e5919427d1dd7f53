// The two live lists: interactions and agents. Arrows move, Enter opens, and rows do not move under the hand.
import { Headphones, PhoneOutgoing } from "lucide-preact";
import { useMemo } from "preact/hooks";
import { AGENT_TONE, Badge, Mark, type Tone } from "../kit/badge";
import { phone, spoken } from "../kit/format";
import { EmptyState } from "../kit/states";
import { Timer } from "../kit/timer";
import { Define } from "./define";
import { agentOrder, isFiltered, itemOrder, showsAgent, showsItem, type Filters } from "./filters";
import type { BoardAgent, BoardItem, Risk } from "./model";
import { useSteady } from "./order";
import { queueTitle } from "./store";
import { t, word } from "./texts";

export const RISK_TONE: Record<Risk, Tone> = { ok: "good", soon: "warn", late: "bad" };
export const PHASE_TONE: Record<string, Tone> = { queued: "warn", connecting: "busy", dialing: "busy", talking: "busy", consult: "busy", conference: "busy", transfer: "busy", wrap_up: "idle" };
export const agentTone = (state: string): Tone => (state === "interacting" ? "busy" : (AGENT_TONE[state] ?? "idle"));

/** Who calls from the web phone has no number, only a name that the platform made up for this call. */
const VISITOR = /^visit([0-9a-f]{4})[0-9a-f]+$/;

export function whoIs({ from_address: address }: BoardItem): string {
  if (!address) return t("hidden");
  const visitor = VISITOR.exec(address)?.[1];
  return visitor ? t("visitor", { id: visitor }) : phone(address);
}

/** What it is about, in words. */
export const aboutWhat = (item: BoardItem): string => item.reason_title ?? (item.reason ? spoken(item.reason) : "");

/** What a chosen row is called: `i:` an interaction, `a:` an agent. */
export type Chosen = { kind: "item" | "agent"; id: string };

interface ListProps {
  filters: Filters;
  chosen: Chosen | null;
  choose: (chosen: Chosen) => void;
  point: (chosen: Chosen) => void;
}

function walk(event: KeyboardEvent): void {
  const row = (event.target as Element).closest("tr");
  const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling, Home: row?.parentElement?.firstElementChild, End: row?.parentElement?.lastElementChild }[event.key];
  if (!(to instanceof HTMLElement)) return;
  event.preventDefault();
  to.focus();
}

const row = (open: () => void, point: () => void) => ({
  tabIndex: 0,
  onClick: open,
  onFocus: point,
  onKeyDown: (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    open();
  },
});

export function Items({ items, filters, chosen, choose, point }: ListProps & { items: readonly BoardItem[] }) {
  const shown = useMemo(() => items.filter((one) => showsItem(one, filters)).sort(itemOrder), [items, filters]);
  const { rows, hold } = useSteady(shown);
  return (
    <section class="list" aria-label={t("interactions")} {...hold} onKeyDown={walk}>
      <header class="list-head"><h2>{t("interactions")}</h2><span class="count">{shown.length === items.length ? items.length : `${shown.length} / ${items.length}`}</span></header>
      <div class="table-scroll">
        <table class="table opens live">
          <caption class="visually-hidden">{t("interactions")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("col.who")}</th><th scope="col">{t("col.queue")}</th><th scope="col" class="w-state">{t("col.state")} <Define figure="sla_risk" title={t("filter.risk")} /></th>
              <th scope="col" class="figure w-time">{t("col.time")}</th><th scope="col">{t("col.agent")}</th><th scope="col" class="figure w-prio">{t("col.priority")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => <ItemRow key={one.id} item={one} current={chosen?.kind === "item" && chosen.id === one.id} choose={choose} point={point} />)}
          </tbody>
        </table>
        {rows.length === 0 && (isFiltered(filters) ? <EmptyState title={t("filter.none")} /> : <EmptyState title={t("empty.items")}>{t("empty.itemsText")}</EmptyState>)}
      </div>
    </section>
  );
}

function ItemRow({ item, current, choose, point }: { item: BoardItem; current: boolean; choose: ListProps["choose"]; point: ListProps["point"] }) {
  const chosen: Chosen = { kind: "item", id: item.id };
  const waits = item.phase === "queued" ? item.sla : null;
  return (
    <tr aria-current={current ? "true" : undefined} {...row(() => choose(chosen), () => point(chosen))}>
      <th scope="row" class="who">
        <span class="who-line">
          {item.direction === "outbound" && <PhoneOutgoing size={14} aria-label={t("outbound")} />}
          {whoIs(item)}
          {item.supervised_by && <span class="ear" title={t("supervised", { who: item.supervised_by })}><Headphones size={14} aria-label={t("supervised", { who: item.supervised_by })} /></span>}
        </span>
        <span class="muted small">{[item.medium === "voice" ? "" : word("medium", item.medium), aboutWhat(item)].filter(Boolean).join(" · ")}</span>
      </th>
      <td class="clip">{item.queue_title ?? queueTitle(item.queue)}</td>
      <td>
        {waits ? <Badge tone={RISK_TONE[waits.risk]}>{waits.risk === "ok" ? word("phase", "queued") : word("risk", waits.risk)}</Badge>
          : <Badge quiet tone={PHASE_TONE[item.phase] ?? "off"}>{word("phase", item.phase)}</Badge>}
      </td>
      <td class="figure"><Timer since={item.waiting_since ?? item.in_phase_since} /></td>
      <td class="clip">{item.agent_name ?? item.agent ?? <span class="muted">—</span>}</td>
      <td class="figure">{item.priority}</td>
    </tr>
  );
}

export function Agents({ agents, filters, chosen, choose, point, itemOf }: ListProps & { agents: readonly BoardAgent[]; itemOf: (id: string | null) => BoardItem | undefined }) {
  const shown = useMemo(() => agents.filter((one) => showsAgent(one, filters)).sort(agentOrder), [agents, filters]);
  const { rows, hold } = useSteady(shown);
  return (
    <section class="list" aria-label={t("agents")} {...hold} onKeyDown={walk}>
      <header class="list-head"><h2>{t("agents")}</h2><span class="count">{shown.length === agents.length ? agents.length : `${shown.length} / ${agents.length}`}</span></header>
      <div class="table-scroll">
        <table class="table opens live">
          <caption class="visually-hidden">{t("agents")}</caption>
          <thead><tr><th scope="col">{t("col.agent")}</th><th scope="col">{t("col.state")}</th><th scope="col" class="figure w-time">{t("col.time")}</th></tr></thead>
          <tbody>
            {rows.map((one) => {
              const item = itemOf(one.interaction);
              const now: Chosen = { kind: "agent", id: one.id };
              return (
                <tr key={one.id} aria-current={chosen?.kind === "agent" && chosen.id === one.id ? "true" : undefined} {...row(() => choose(now), () => point(now))}>
                  <th scope="row" class="who">
                    <span class="who-line">{one.name}</span>
                    <span class="muted small">{item ? `${item.queue_title ?? ""} · ${whoIs(item)}` : one.queues.map(queueTitle).slice(0, 2).join(", ") || "\u00a0"}</span>
                  </th>
                  <td>
                    <Badge quiet tone={agentTone(one.state)}>{word("state", one.state)}</Badge>
                    <span class="sub muted small">
                      {one.reason_title ?? one.reason ?? (one.endpoint_online === false && one.state !== "signed_out" ? <><Mark tone="bad" /> {t("phone.offline")}</> : "")}
                    </span>
                  </td>
                  <td class="figure"><Timer since={one.since} /></td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {rows.length === 0 && (isFiltered(filters) ? <EmptyState title={t("filter.noneAgents")} /> : <EmptyState title={t("empty.agents")}>{t("empty.agentsText")}</EmptyState>)}
      </div>
    </section>
  );
}
