// One part of the organisation as a list; a sheet edits an entry. Calendars also show the holidays of the year.
import { useState } from "preact/hooks";
import { api } from "../kit/api";
import { day } from "../kit/format";
import { may } from "../kit/session";
import { useLoad } from "../kit/use";
import { entriesOf, fieldOf, nameOf, textOf, type Document, type Entry, type Value } from "./document";
import { packedWeek, weekOf, type Day } from "./hours";
import { ListPage } from "./list";
import { written } from "./orgfield";
import { OrgSheet } from "./orgsheet";
import { loadOrganisation, type Organisation } from "./orgstore";
import type { FieldSpec, OrgSection } from "./sections";
import { t } from "./texts";

export function OrganisationPage({ section }: { section: OrgSection }) {
  const loaded = useLoad(loadOrganisation, []);
  const [newer, setNewer] = useState<Organisation | null>(null);
  const [open, setOpen] = useState<{ name: string | null } | null>(null);
  const organisation = newer ?? loaded.data;
  const entries = organisation ? entriesOf(organisation.document, section) : null;
  const titled = section.fields.some((spec) => spec.path === "title");
  return (
    <>
      <ListPage<Entry>
        title={t(section.title)} loaded={{ ...loaded, data: entries }} rowKey={(one) => nameOf(one, section)} words={(one) => Object.values(one).map(written).join(" ")}
        note={may("queues.write") ? undefined : t("readOnly")} onOpen={(one) => setOpen({ name: nameOf(one, section) })} current={open?.name ?? null}
        onAdd={may("queues.write") && organisation ? () => setOpen({ name: null }) : undefined}
        columns={[
          ...(titled || section.personal ? [{ id: "title", title: t(section.personal ? "org.person" : "org.title"), cell: (one: Entry) => <strong>{textOf(one["title"]) || textOf(one["name"])}</strong> }] : []),
          { id: "name", title: t("org.name"), cell: (one) => <code>{nameOf(one, section)}</code> },
          ...section.columns.map((spec) => ({ id: spec.path, title: t(spec.label), figure: spec.kind === "number" || spec.kind === "percent", cell: (one: Entry) => shown(spec, one, organisation?.document ?? {}) })),
        ]}
      />
      {section.id === "horarios" && <Holidays />}
      {open && organisation && (
        <OrgSheet key={open.name ?? ""} section={section} organisation={organisation} name={open.name} onClose={() => setOpen(null)} onSaved={(saved) => { setNewer(saved); setOpen(null); }} />
      )}
    </>
  );
}

function shown(spec: FieldSpec, entry: Entry, document: Document): string {
  const value = fieldOf(entry, spec.path);
  if (value === undefined || value === null) return spec.none ? t(spec.none) : "—";
  if (spec.kind === "percent" && typeof value === "number") return `${Math.round(value * 100)} %`;
  if (spec.kind === "check") return t(value === true ? "yes" : "no");
  const title = (name: string): string => {
    if (!spec.from) return name;
    const found = entriesOf(document, spec.from).find((one) => spec.from && nameOf(one, spec.from) === name);
    return textOf(found?.["title"]) || name;
  };
  if (spec.kind === "many" && Array.isArray(value)) return value.map((one) => title(textOf(one))).join(", ");
  if (spec.kind === "week") return weekWords(value);
  if (spec.kind === "levels" && typeof value === "object" && !Array.isArray(value)) return Object.entries(value).map(([key, one]) => `${key} ${Array.isArray(one) ? one.map(textOf).join(" ") : textOf(one)}`).join(" · ");
  return spec.kind === "pick" ? title(textOf(value)) : written(value);
}

/** "lun–vie 08:00–13:00 14:00–17:00 · sáb 08:00–18:00" */
const weekWords = (value: Value): string =>
  Object.entries(packedWeek(weekOf(value)) ?? {}).map(([key, hours]) => `${key === "all" ? t("day.all") : key.split("-").map((one) => t(`day.${one as Day}`).slice(0, 3).toLowerCase()).join("–")} ${Array.isArray(hours) ? hours.map((one) => textOf(one).replace("-", "–")).join(" ") : ""}`).join(" · ");

interface Holiday { day: string; name: string; local: boolean }

function Holidays() {
  const year = new Date().getFullYear();
  const found = useLoad((signal) => api.get<{ items: Holiday[] }>(`/holidays?year=${year}&place=cuenca`, signal), [year]);
  if (!found.data) return null;
  return (
    <section class="admin-page holidays">
      <h2>{t("org.holidayList", { year })}</h2>
      <ul>{found.data.items.map((one) => <li key={one.day}><time>{day(`${one.day}T12:00:00Z`)}</time> {one.name}{one.local && <span class="muted small"> ({t("org.local")})</span>}</li>)}</ul>
    </section>
  );
}
