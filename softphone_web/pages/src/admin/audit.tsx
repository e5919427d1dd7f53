// The audit trail: newest first, filters, each entry with its before and after, and whether the chain is whole.
import { ShieldAlert, ShieldCheck } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { api, query } from "../kit/api";
import { Button } from "../kit/button";
import { Sheet } from "../kit/dialog";
import { Field } from "../kit/field";
import { day, timeExact } from "../kit/format";
import { Banner, EmptyState, ErrorState, Skeleton } from "../kit/states";
import { Table } from "../kit/table";
import { tellError } from "../kit/toast";
import { useBusy, useLoad, useSettled } from "../kit/use";
import { Head } from "./list";
import { ACTIONS, label } from "./audit-texts";
import { t } from "./texts";

type Data = Record<string, unknown>;
interface Entry { id: string; n: number; at: string; actor: string; actor_name: string; action: string; target: string; before: Data | null; after: Data | null; origin: string }
interface Page { items: Entry[]; next: number | null }
interface Verdict { ok: boolean; entries: number; broken: { n: number; code: string; count: number } | null }

/** Whoever works at the machine's own command line has no account. */
const actor = (one: Entry): string => {
  const known = label("actor", one.actor);
  return known === one.actor ? one.actor_name || one.actor : known;
};
const NO_FILTERS = { actor: "", action: "", target: "", citizen: "", since: "", until: "" };
type Filters = typeof NO_FILTERS;

/** A day as people choose it is a whole day here. */
const asked = ({ actor, action, target, since, until }: Filters, after: number | null) =>
  ({ actor, action, target, since: since && new Date(`${since}T00:00:00`).toISOString(), until: until && new Date(`${until}T23:59:59.999`).toISOString(), after, limit: 50 });

/** A citizen's number or document stands in no URL: it goes in the body. */
const load = (filters: Filters, after: number | null, signal?: AbortSignal): Promise<Page> => {
  const wanted = asked(filters, after);
  const citizen = filters.citizen.trim();
  if (!citizen) return api.get<Page>(`/audit${query(wanted)}`, signal);
  return api.post<Page>("/audit/search", { citizen, ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== "" && value !== null)) }, signal);
};

export function Audit() {
  const [filters, setFilters] = useState(NO_FILTERS);
  const wanted = useSettled(filters, 300);
  const first = useLoad((signal) => load(wanted, null, signal), [wanted]);
  const [older, setOlder] = useState<Page>({ items: [], next: null });
  const [open, setOpen] = useState<Entry | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => setOlder({ items: [], next: first.data?.next ?? null }), [first.data]);
  const entries = [...(first.data?.items ?? []), ...older.items];
  const more = (): void => void run(() => load(wanted, older.next).then((page) => setOlder({ items: [...older.items, ...page.items], next: page.next }), tellError));
  const field = (key: keyof Filters, label: string, type: "text" | "date" = "text") => <Field label={label} type={type} value={filters[key]} onInput={(value) => setFilters({ ...filters, [key]: value })} />;
  return (
    <section class="admin-page">
      <Head title={t("nav.audit")} />
      <Chain />
      <div class="audit-filters" role="search">
        {field("actor", t("audit.who"))}
        <Field label={t("audit.what")} value={filters.action} onInput={(action) => setFilters({ ...filters, action })} attributes={{ placeholder: "user.", title: t("audit.actionHint"), list: "audit-actions" }} />
        <datalist id="audit-actions">{ACTIONS.map((code) => <option key={code} value={code} label={label("action", code)} />)}</datalist>
        {field("target", t("audit.on"))}{field("citizen", t("audit.citizen"))}{field("since", t("audit.since"), "date")}{field("until", t("audit.until"), "date")}
      </div>
      <div class="admin-table">
        {!first.data ? (first.error ? <ErrorState error={first.error} onRetry={first.reload} /> : <Skeleton lines={6} height={28} />) : (
          <Table
            caption={t("nav.audit")} rows={entries} rowKey={(one) => one.id} current={open?.id ?? null} onOpen={setOpen} empty={<EmptyState title={t("audit.empty")} />}
            columns={[
              { id: "at", title: t("audit.at"), cell: (one) => <span class="nowrap">{day(one.at)} {timeExact(one.at)}</span> },
              { id: "who", title: t("audit.who"), cell: (one) => <strong>{actor(one)}</strong> },
              { id: "what", title: t("audit.what"), cell: (one) => <Action code={one.action} /> },
              { id: "on", title: t("audit.on"), cell: (one) => <code>{one.target}</code> },
              { id: "origin", title: t("audit.origin"), cell: (one) => <span class="muted">{label("origin", one.origin)}</span> },
            ]}
          />
        )}
        {older.next !== null && <p class="audit-more"><Button busy={busy} onClick={more}>{t("audit.more")}</Button></p>}
      </div>
      {open && (
        <Sheet title={t("audit.entry", { n: open.n })} onClose={() => setOpen(null)}>
          <p><strong>{actor(open)}</strong> · {label("action", open.action)}</p>
          <p class="muted">{day(open.at)} {timeExact(open.at)} · {label("origin", open.origin)}</p>
          <p><code>{open.action}</code> · <code>{open.target}</code></p>
          <Values title={t("audit.before")} data={open.before} other={open.after} />
          <Values title={t("audit.after")} data={open.after} other={open.before} />
        </Sheet>
      )}
    </section>
  );
}

/** In words, with the code that filters and programs know it by. */
function Action({ code }: { code: string }) {
  const words = label("action", code);
  return words === code ? <code>{code}</code> : <span class="audit-action">{words}<code class="muted small">{code}</code></span>;
}

function Values({ title, data, other }: { title: string; data: Data | null; other: Data | null }) {
  const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <section class="stack">
      <h3>{title}</h3>
      {!data || Object.keys(data).length === 0 ? <p class="muted">{t("audit.nothing")}</p> : (
        <dl class="values">
          {Object.entries(data).map(([key, value]) => (
            <div key={key} class={other && shown(other[key]) !== shown(value) ? "differs" : ""}><dt>{label("fact", key)}</dt><dd><code>{shown(value)}</code></dd></div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Chain() {
  const verdict = useLoad((signal) => api.get<Verdict>("/audit/verify", signal), []);
  const { data } = verdict;
  if (!data) return verdict.error ? <ErrorState error={verdict.error} onRetry={verdict.reload} /> : <Banner tone="info">{t("audit.verifying")}</Banner>;
  return (
    <Banner tone={data.ok ? "info" : "bad"} icon={data.ok ? ShieldCheck : ShieldAlert} action={<Button size="small" busy={verdict.loading} onClick={verdict.reload}>{t("audit.verify")}</Button>}>
      {data.ok || !data.broken ? t("audit.ok", { n: data.entries }) : t("audit.broken", { n: data.broken.n, why: label("break", data.broken.code, { count: data.broken.count }) })}
    </Banner>
  );
}
