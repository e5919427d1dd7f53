// One field of a sheet, by its kind.
import { useState } from "preact/hooks";
import { parse, stringify } from "yaml";
import { Area, Check, Field, Select } from "../kit/field";
import { entriesOf, fieldOf, nameOf, textOf, withField, type Document, type Entry, type Value } from "./document";
import { HOLIDAYS, type FieldSpec } from "./sections";
import { t } from "./texts";

interface Props {
  spec: FieldSpec;
  entry: Entry;
  document: Document;
  error: string | null;
  readOnly: boolean;
  change: (entry: Entry) => void;
  /** Told when what was typed is no value at all, and when it is one again. */
  broken: (path: string, why: string | null) => void;
}

export const written = (value: Value | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "object" ? stringify(value, { flowCollectionPadding: false, lineWidth: 0, collectionStyle: Array.isArray(value) ? "block" : "any" }).trim() : String(value);

export function OrgField({ spec, entry, document, error, readOnly, change, broken }: Props) {
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
    case "yaml":
      return <Yaml {...common} value={value} readOnly={readOnly} set={set} broken={(why) => broken(spec.path, why)} />;
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

function Yaml({ label, hint, error, value, readOnly, set, broken }: { label: string; hint?: string; error: string | null; value: Value | undefined; readOnly: boolean; set: (value: Value | undefined) => void; broken: (why: string | null) => void }) {
  const [text, setText] = useState(() => written(value));
  const [why, setWhy] = useState<string | null>(null);
  const type = (next: string): void => {
    setText(next);
    try {
      const parsed = parse(next) as Value | undefined;
      setWhy(null);
      broken(null);
      set(parsed ?? undefined);
    } catch (problem) {
      const said = t("org.badYaml", { why: problem instanceof Error ? (problem.message.split("\n")[0] ?? "") : "" });
      setWhy(said);
      broken(said);
    }
  };
  return <Area label={label} {...(hint && { hint })} error={why ?? error} value={text} onInput={type} rows={Math.min(8, Math.max(2, text.split("\n").length))} attributes={{ class: "input code", disabled: readOnly, spellcheck: false }} />;
}
