// One field of a sheet, by its kind.
import { stringify } from "yaml";
import { Check, Field, Select } from "../kit/field";
import { entriesOf, fieldOf, nameOf, textOf, withField, type Document, type Entry, type Value } from "./document";
import { SpecialField, WeekField } from "./hours-form";
import { LevelsField, OverflowField, RingsField } from "./rules";
import { HOLIDAYS, type FieldSpec } from "./sections";
import { t } from "./texts";

interface Props {
  spec: FieldSpec;
  entry: Entry;
  document: Document;
  /** The mistakes at a path of the entry and below it. */
  errors: (path: string) => string | null;
  readOnly: boolean;
  change: (entry: Entry) => void;
  /** Told when what was typed is no value at all, and when it is one again. */
  broken: (path: string, why: string | null) => void;
}

/** What a form of its own for one field is given. */
export interface EditorProps {
  spec: FieldSpec;
  value: Value | undefined;
  document: Document;
  errors: (path: string) => string | null;
  readOnly: boolean;
  set: (value: Value | undefined) => void;
  broken: (why: string | null) => void;
}

const EDITORS = { week: WeekField, special: SpecialField, rings: RingsField, overflow: OverflowField, levels: LevelsField };

export const written = (value: Value | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "object" ? stringify(value, { flowCollectionPadding: false, lineWidth: 0, collectionStyle: Array.isArray(value) ? "block" : "any" }).trim() : String(value);

export function OrgField({ spec, entry, document, errors, readOnly, change, broken }: Props) {
  const error = errors(spec.path);
  const value = fieldOf(entry, spec.path);
  const set = (next: Value | undefined): void => change(withField(entry, spec.path, next));
  const common = { label: t(spec.label), error, ...(spec.hint && { hint: t(spec.hint) }) };
  switch (spec.kind) {
    case "check":
      return <Check label={common.label} checked={value === true} disabled={readOnly} onChange={(on) => set(on ? true : undefined)} />;
    case "number":
    case "percent": {
      const scale = spec.kind === "percent" ? 100 : 1;
      const shown = typeof value === "number" ? String(Math.round(value * scale * 1000) / 1000) : "";
      return <Field {...common} type="number" value={shown} onInput={(text) => set(text === "" ? undefined : Number(text) / scale)} attributes={{ disabled: readOnly, step: "any", placeholder: t("default") }} />;
    }
    case "pick": {
      const options = spec.from ? entriesOf(document, spec.from).map((one) => nameOf(one, spec.from ?? { path: "", key: "name", shape: "list" })) : HOLIDAYS;
      const titles = spec.from ? entriesOf(document, spec.from) : [];
      return <Select {...common} value={textOf(value)} {...(spec.none ? { placeholder: t(spec.none) } : value === undefined ? { placeholder: "—" } : {})} options={options.map((name, at) => ({ value: name, title: textOf(titles[at]?.["title"]) || name }))} onChange={(name) => set(name || undefined)} />;
    }
    case "many":
      return <Many spec={spec} value={value} document={document} readOnly={readOnly} error={error} set={set} />;
    case "week": case "special": case "rings": case "overflow": case "levels": {
      const Editor = EDITORS[spec.kind];
      return <Editor spec={spec} value={value} document={document} errors={errors} readOnly={readOnly} set={set} broken={(why) => broken(spec.path, why)} />;
    }
    case "text":
      return <Field {...common} value={textOf(value)} onInput={(text) => set(text === "" ? undefined : text)} attributes={{ disabled: readOnly, spellcheck: spec.path === "title" }} />;
  }
}

function Many({ spec, value, document, readOnly, error, set }: { spec: FieldSpec; value: Value | undefined; document: Document; readOnly: boolean; error: string | null; set: (value: Value | undefined) => void }) {
  const { from } = spec;
  if (!from) return null;
  const chosen = Array.isArray(value) ? value.map(textOf) : [];
  const toggle = (name: string, on: boolean): void => {
    const next = on ? [...chosen, name] : chosen.filter((one) => one !== name);
    set(next.length ? next : undefined);
  };
  return (
    <fieldset class="many">
      <legend>{t(spec.label)}</legend>
      {spec.hint && <p class="field-hint">{t(spec.hint)}</p>}
      {entriesOf(document, from).length === 0 && <p class="muted">{t("org.noneToChoose")}</p>}
      <div class="many-list">
        {entriesOf(document, from).map((one) => {
          const name = nameOf(one, from);
          return <Check key={name} label={textOf(one["title"]) || name} checked={chosen.includes(name)} disabled={readOnly} onChange={(on) => toggle(name, on)} />;
        })}
      </div>
      {error && <p class="field-error" role="alert">{error}</p>}
    </fieldset>
  );
}
