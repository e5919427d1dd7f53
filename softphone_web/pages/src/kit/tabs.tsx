import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface Tab {
  id: string;
  title: string;
  count?: number;
  content: () => ComponentChildren;
}

/** Tabs by the ARIA pattern: arrows move, the panel follows the focus. */
export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: readonly Tab[]; value: string; onChange: (id: string) => void }) {
  const base = useId();
  const current = tabs.find((one) => one.id === value) ?? tabs[0];
  const move = (event: KeyboardEvent): void => {
    const at = tabs.findIndex((one) => one.id === current?.id);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChange(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((one) => (
          <button
            type="button"
            key={one.id}
            role="tab"
            id={`${base}-${one.id}`}
            aria-selected={one === current}
            aria-controls={`${base}-panel`}
            tabIndex={one === current ? 0 : -1}
            onClick={() => onChange(one.id)}
          >
            {one.title}
            {one.count !== undefined && <span class="count">{one.count}</span>}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${current?.id ?? ""}`} tabIndex={0}>
        {current?.content()}
      </div>
    </div>
  );
}
