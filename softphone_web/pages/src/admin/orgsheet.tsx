// One entry of the organisation in a sheet: edit, review what changes, put in force. Two steps, and nothing before the second.
import { useState } from "preact/hooks";
import { Button } from "../kit/button";
import { Sheet } from "../kit/dialog";
import { Field } from "../kit/field";
import { may } from "../kit/session";
import { Banner } from "../kit/states";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy } from "../kit/use";
import { entriesOf, nameOf, onTop, textOf, usesOf, withEntry, withoutEntry, type Document, type Entry } from "./document";
import { mistakesOf, placeOf, type Mistake } from "./mistakes";
import { OrgField } from "./orgfield";
import { checkChange, hasMoved, loadOrganisation, saveText, type Checked, type Organisation } from "./orgstore";
import { NAME, SECTIONS, type OrgSection } from "./sections";
import { changeOf } from "./changes";
import { t } from "./texts";

interface Props {
  section: OrgSection;
  organisation: Organisation;
  /** Null: a new one. */
  name: string | null;
  onClose: () => void;
  onSaved: (organisation: Organisation) => void;
}

export function OrgSheet({ section, organisation: first, name, onClose, onSaved }: Props) {
  const [organisation, setOrganisation] = useState(first);
  const entryIn = (document: Document): Entry | undefined => entriesOf(document, section).find((one) => nameOf(one, section) === name);
  const [entry, setEntry] = useState<Entry>(() => entryIn(first.document) ?? {});
  const [removing, setRemoving] = useState(false);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [moved, setMoved] = useState(false);
  const [wrongName, setWrongName] = useState("");
  const [broken, setBroken] = useState<Record<string, string>>({});
  const [busy, run] = useBusy();
  const writes = may("queues.write");
  const now = nameOf(entry, section);

  const change = (document: Document, now: Entry): Document => (removing ? withoutEntry(document, section, name ?? "") : withEntry(document, section, name, now));
  const review = (gone: boolean): void => {
    if (!gone && name === null) {
      const taken = entriesOf(organisation.document, section).some((one) => nameOf(one, section) === now);
      const wrong = taken ? t("org.taken", { name: now }) : NAME.test(now) ? "" : t("org.badName");
      setWrongName(wrong);
      if (wrong) return;
    }
    if (!gone && Object.keys(broken).length) return;
    setRemoving(gone);
    const wanted = (document: Document): Document => (gone ? withoutEntry(document, section, name ?? "") : withEntry(document, section, name, entry));
    void run(() => checkChange(organisation, wanted).then(setChecked, tellError));
  };
  const save = (): void => {
    if (!checked) return;
    void run(async () => {
      try {
        await saveText(checked.yaml, organisation);
        tell(t("org.inForce"), { tone: "good" });
        onSaved(await loadOrganisation());
      } catch (error) {
        if (!hasMoved(error)) {
          tellError(error);
          return;
        }
        const newer = await loadOrganisation();
        const both = removing ? entry : onTop(entryIn(newer.document), entryIn(organisation.document) ?? {}, entry);
        setOrganisation(newer);
        setEntry(both);
        setMoved(true);
        setChecked(await checkChange(newer, (document) => change(document, both)));
      }
    });
  };

  const uses = removing && checked?.mistakes.length ? usesOf(organisation.document, name ?? "", section.usedIn) : [];
  const title = name === null ? `${t("add")}: ${t(section.title)}` : textOf(entry["title"]) || textOf(entry["name"]) || name;
  if (checked && (removing || checked.mistakes.length === 0)) {
    return (
      <Sheet
        title={t("org.difference")} onClose={onClose} onSubmit={save}
        actions={
          <>
            {moved && <Button kind="quiet" onClick={() => onSaved(organisation)}>{t("org.discard")}</Button>}
            <Button onClick={() => { setChecked(null); setRemoving(false); }}>{t("org.back")}</Button>
            <Button kind="primary" type="submit" busy={busy} disabled={checked.mistakes.length > 0 || checked.difference.length === 0}>{t(moved ? "org.onTop" : "org.save")}</Button>
          </>
        }
      >
        {moved && <Banner tone="bad">{t("org.moved")}</Banner>}
        {checked.mistakes.length > 0 && <Banner tone="bad">{uses.length ? t("org.usedBy", { names: uses.join(", ") }) : checked.mistakes.map((one) => one.message).join(" ")}</Banner>}
        <Difference lines={checked.difference} empty={checked.mistakes.length === 0} />
      </Sheet>
    );
  }
  const found = checked ? mistakesOf(checked.yaml, checked.mistakes, section.path, now) : new Map<string, Mistake[]>();
  const errorOf = (path: string): string | null =>
    broken[path] ?? ([...found].filter(([field]) => field === path || field.startsWith(`${path}.`)).flatMap(([, ones]) => ones.map((one) => one.message)).join(" ") || null);
  const elsewhere = checked?.mistakes.filter((one) => {
    const place = placeOf(checked.yaml, one.line, one.column);
    return !(place?.section === section.path && place.entry === now && place.field && section.fields.some((spec) => place.field === spec.path || place.field?.startsWith(`${spec.path}.`)));
  }) ?? [];
  return (
    <Sheet
      title={title} onClose={onClose} onSubmit={() => { if (writes) review(false); }}
      actions={
        writes ? (
          <>
            {name !== null && <Button kind="quiet" disabled={busy} onClick={() => review(true)}>{t("remove")}</Button>}
            <Button onClick={onClose}>{kit("cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy}>{t("org.review")}</Button>
          </>
        ) : undefined
      }
    >
      {!writes && <p class="muted">{t("readOnly")}</p>}
      {checked && <Banner tone="bad">{t("org.mistakes")}</Banner>}
      {elsewhere.length > 0 && <ul class="mistakes">{elsewhere.map((one) => <li key={`${one.line} ${one.key} ${one.message}`}>{t("org.elsewhere", { line: one.line })} {one.key && <><code>{one.key}</code>: </>}{one.message}{one.hint && <span class="muted"> {one.hint}</span>}</li>)}</ul>}
      <Field label={t("org.name")} hint={t("org.nameHint")} value={now} onInput={(text) => setEntry({ ...entry, [section.key]: text })} error={wrongName || null} attributes={{ disabled: name !== null, spellcheck: false, autocapitalize: "none" }} />
      {section.fields.map((spec) => (
        <OrgField
          key={spec.path} spec={spec} entry={entry} document={organisation.document} errors={errorOf} readOnly={!writes} change={setEntry}
          broken={(path, why) => setBroken((so) => ({ ...Object.fromEntries(Object.entries(so).filter(([key]) => key !== path)), ...(why !== null && { [path]: why }) }))}
        />
      ))}
    </Sheet>
  );
}

/** "~ queues[agua].priority: 5 → 12" -> "Colas, agua. Prioridad: 5 → 12". */
function spoken(line: string): string {
  const change = changeOf(line);
  const section = SECTIONS.find((one) => one.path === change?.section);
  if (!change || !section) return line;
  const field = section.fields.find((one) => one.path === change.field);
  const what = field ? t(field.label) : change.field;
  return `${change.sign === "~" ? "" : `${change.sign} `}${t(section.title)}, ${change.entry}${what ? `. ${what}` : ""}: ${change.value}`;
}

/** What the server says that changes, one sentence a line. */
export function Difference({ lines, empty = true }: { lines: readonly string[]; empty?: boolean }) {
  if (lines.length === 0) return empty ? <p class="muted">{t("org.same")}</p> : null;
  return (
    <ul class="differences">
      {lines.map((line) => <li key={line} class={line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""}>{spoken(line)}</li>)}
    </ul>
  );
}
