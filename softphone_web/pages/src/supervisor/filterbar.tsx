import { FilterX, Search } from "lucide-preact";
import { Button, KeyHint } from "../kit/button";
import { STAGES } from "./acts";
import { isFiltered, NO_FILTERS, type Filters } from "./filters";
import type { Board } from "./model";
import { t, word } from "./texts";

const PRIORITIES = [5, 20, 30];
const STATES = ["ready", "reserved", "interacting", "wrap_up", "not_ready", "signed_out"];
const RISKS = ["soon", "late"];

interface One { value: string; title: string }

function Pick({ label, value, options, onChange }: { label: string; value: string; options: readonly One[]; onChange: (value: string) => void }) {
  return (
    <select class={`input pick${value ? " on" : ""}`} aria-label={label} title={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{label}</option>
      {options.map((one) => <option key={one.value} value={one.value}>{one.title}</option>)}
    </select>
  );
}

/** All conditions in one line; the search reaches numbers, agents, reasons. "/" brings the hand there. */
export function FilterBar({ board, filters, set }: { board: Board; filters: Filters; set: (filters: Filters) => void }) {
  const change = (more: Partial<Filters>): void => set({ ...filters, ...more });
  const media = [...new Set(["voice", ...board.interactions.map((one) => one.medium)])];
  return (
    <div class="filters" role="search">
      <label class="filter-search">
        <Search size={16} aria-hidden="true" />
        <input id="board-search" type="search" aria-label={t("filter.search")} placeholder={t("filter.search")} value={filters.text} onInput={(event) => change({ text: event.currentTarget.value })} />
        <KeyHint name="/" />
      </label>
      <Pick label={t("filter.queue")} value={filters.queue} options={board.queues.map((one) => ({ value: one.name, title: one.title }))} onChange={(queue) => change({ queue })} />
      <Pick label={t("filter.channel")} value={filters.medium} options={media.map((one) => ({ value: one, title: word("medium", one) }))} onChange={(medium) => change({ medium })} />
      <Pick label={t("filter.phase")} value={filters.phase} options={STAGES.map((one) => ({ value: one, title: word("phase", one) }))} onChange={(phase) => change({ phase: phase as Filters["phase"] })} />
      <Pick label={t("filter.risk")} value={filters.risk} options={RISKS.map((one) => ({ value: one, title: word("risk", one) }))} onChange={(risk) => change({ risk: risk as Filters["risk"] })} />
      <Pick label={t("filter.priority")} value={filters.priority === null ? "" : String(filters.priority)} options={PRIORITIES.map((one) => ({ value: String(one), title: t("filter.priorityFrom", { n: one }) }))} onChange={(value) => change({ priority: value ? Number(value) : null })} />
      <Pick label={t("filter.agent")} value={filters.agent} options={board.agents.map((one) => ({ value: one.id, title: one.name }))} onChange={(agent) => change({ agent })} />
      <Pick label={t("filter.state")} value={filters.state} options={STATES.map((one) => ({ value: one, title: word("state", one) }))} onChange={(state) => change({ state: state as Filters["state"] })} />
      <Button kind="quiet" size="small" icon={FilterX} label={t("filter.clear")} disabled={!isFiltered(filters)} onClick={() => set(NO_FILTERS)} />
    </div>
  );
}
