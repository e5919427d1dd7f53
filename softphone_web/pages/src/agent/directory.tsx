// Finding people, queues and numbers: for transfers, new calls and the palette.
import { Phone, Users } from "lucide-preact";
import { useId, useState } from "preact/hooks";
import { api } from "../kit/api";
import { AGENT_TONE, Avatar, Badge } from "../kit/badge";
import { Field } from "../kit/field";
import { groupBy, phone } from "../kit/format";
import { matches } from "../kit/palette";
import { ErrorState, Skeleton } from "../kit/states";
import type { AgentState, DirectoryEntry } from "../kit/types";
import { useLoad, useSettled } from "../kit/use";
import { t } from "./texts";

export const findInDirectory = (text: string, signal?: AbortSignal): Promise<{ items: DirectoryEntry[] }> => api.post("/directory/search", { q: text }, signal);

/** "098 765 4321" -> "0987654321"; null when it is no number that can be called. Pure. */
export function dialable(text: string): string | null {
  const digits = text.replace(/[\s().-]/g, "");
  return /^\+?[0-9*#]{2,16}$/.test(digits) ? digits : null;
}

export interface DirectoryProps {
  label: string;
  value: DirectoryEntry | null;
  onChoose: (entry: DirectoryEntry | null) => void;
  /** Not offered: oneself. */
  without?: string | null;
}

/** A combobox: type, move with the arrows, choose with Enter; a full number can be typed. */
export function DirectorySearch({ label, value, onChoose, without }: DirectoryProps) {
  const [text, setText] = useState(value?.name ?? "");
  const settled = useSettled(text, 150);
  const found = useLoad((signal) => findInDirectory(settled, signal), [settled]);
  const list = useId();
  const number = dialable(text);
  const typed: DirectoryEntry[] = number ? [{ kind: "number", id: number, name: t("transfer.number", { number: phone(number) }), detail: "", state: null, waiting: null }] : [];
  const entries = [...typed, ...(found.data?.items ?? []).filter((one) => !(one.kind === "agent" && one.id === without) && one.id !== number && matches(text, `${one.name} ${one.detail} ${one.id}`))];
  const at = entries.findIndex((one) => one.kind === value?.kind && one.id === value.id);
  const move = (event: KeyboardEvent): void => {
    const to = event.key === "ArrowDown" ? Math.min(entries.length - 1, at + 1) : event.key === "ArrowUp" ? Math.max(0, at - 1) : null;
    if (to === null) return;
    event.preventDefault();
    onChoose(entries[to] ?? null);
    document.getElementById(`${list}-${to}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class="directory">
      <Field
        label={label} hint={t("transfer.hint")} type="search" value={text} onInput={(next) => { setText(next); onChoose(null); }}
        attributes={{ role: "combobox", "aria-expanded": true, "aria-controls": list, "aria-activedescendant": at >= 0 ? `${list}-${at}` : undefined, autocomplete: "off", onKeyDown: move, "data-autofocus": true } as never}
      />
      <div class="directory-list" role="listbox" id={list} aria-label={label}>
        {found.error !== null && entries.length === 0 ? <ErrorState error={found.error} onRetry={found.reload} /> : found.data === null && entries.length === 0 ? <Skeleton /> : null}
        {[...groupBy(entries, (one) => one.kind)].map(([kind, items]) => (
          <div key={kind} role="group" aria-label={t(`kind.${kind as DirectoryEntry["kind"]}`)}>
            <p class="directory-kind" aria-hidden="true">{t(`kind.${kind as DirectoryEntry["kind"]}`)}</p>
            {items.map((one) => (
              <div key={one.id} id={`${list}-${entries.indexOf(one)}`} role="option" aria-selected={entries.indexOf(one) === at} class="directory-one" onClick={() => onChoose(one)}>
                <Entry entry={one} />
              </div>
            ))}
          </div>
        ))}
        {found.data !== null && entries.length === 0 && <p class="muted directory-none">{t("transfer.none")}</p>}
      </div>
    </div>
  );
}

function Entry({ entry }: { entry: DirectoryEntry }) {
  return (
    <>
      {entry.kind === "agent" ? <Avatar name={entry.name} size={28} /> : <span class="avatar square">{entry.kind === "queue" ? <Users size={16} aria-hidden="true" /> : <Phone size={16} aria-hidden="true" />}</span>}
      <span class="directory-name">{entry.name}{entry.detail && <span class="muted small">{entry.detail}</span>}</span>
      {entry.state && <Badge tone={AGENT_TONE[entry.state] ?? "idle"} quiet>{t(`state.${entry.state as AgentState}`)}</Badge>}
      {entry.waiting !== null && <span class="muted small">{t("transfer.waiting", { n: entry.waiting })}</span>}
    </>
  );
}
