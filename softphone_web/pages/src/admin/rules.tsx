// A queue's rules as forms: what is relaxed with waiting, where contacts overflow to; and levels of skills.
import { Plus, Trash2 } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../kit/button";
import { Check, Field, Select } from "../kit/field";
import { entriesOf, nameOf, textOf, without, type Document, type Entry, type Section, type Value } from "./document";
import type { EditorProps } from "./orgfield";
import { t } from "./texts";

const SKILLS: Section = { path: "skills", key: "name", shape: "titles" };
const QUEUES: Section = { path: "queues", key: "name", shape: "list" };

const optionsOf = (document: Document, section: Section): { value: string; title: string }[] =>
  entriesOf(document, section).map((one) => ({ value: nameOf(one, section), title: textOf(one["title"]) || nameOf(one, section) }));

const isMap = (value: Value | undefined): value is Entry => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: Value | undefined): Entry[] => (Array.isArray(value) ? value.filter(isMap) : []);
const shown = (value: Value | undefined): string => (typeof value === "number" ? String(value) : "");
/** An empty field has no value: the server says that one is missing, or takes its default. */
const figure = (entry: Entry, key: string, text: string): Entry =>
  text === "" ? without(entry, key) : { ...entry, [key]: Number(text) };

interface RowsProps { label: string; hint?: string; error: string | null; rows: readonly Entry[]; readOnly: boolean; add: string; fresh: Entry; title: (at: number) => string; change: (rows: Entry[]) => void; children: (row: Entry, at: number, edit: (row: Entry) => void) => ComponentChildren }

/** Rules that are tried in their order: each in a box of its own, with what takes it away. */
function Rows({ label, hint, error, rows, readOnly, add, fresh, title, change, children }: RowsProps) {
  return (
    <fieldset class="rows-field">
      <legend>{label}</legend>
      {hint && <p class="field-hint">{hint}</p>}
      {rows.map((row, at) => (
        <fieldset class="rule" key={at}>
          <legend class="visually-hidden">{title(at)}</legend>
          <div class="rule-head">
            <span aria-hidden="true">{title(at)}</span>
            {!readOnly && <Button kind="quiet" size="small" icon={Trash2} label={`${t("remove")}: ${title(at)}`} onClick={() => change(rows.filter((_, index) => index !== at))} />}
          </div>
          {children(row, at, (next) => change(rows.map((one, index) => (index === at ? next : one))))}
        </fieldset>
      ))}
      {error && <p class="field-error" role="alert">{error}</p>}
      {!readOnly && <div><Button size="small" icon={Plus} onClick={() => change([...rows, fresh])}>{add}</Button></div>}
    </fieldset>
  );
}

/** The whole list's mistake; those inside one row are told in the row. */
const ofRows = (rows: readonly Entry[], path: string, errors: EditorProps["errors"]): string | null =>
  rows.some((_, at) => errors(`${path}.${at}`)) ? null : errors(path);

export function RingsField({ spec, value, document, errors, readOnly, set }: EditorProps) {
  const rows = listOf(value);
  const skills = optionsOf(document, SKILLS);
  return (
    <Rows
      label={t(spec.label)} hint={t("rings.hint")} error={ofRows(rows, spec.path, errors)} rows={rows} readOnly={readOnly} add={t("rings.add")} fresh={{ after_s: 30 }}
      title={(at) => t("rings.one", { n: at + 1 })} change={(next) => set(next.length ? next : undefined)}
    >
      {(row, at, edit) => (
        <>
          <Field label={t("rings.after")} type="number" value={shown(row["after_s"])} error={errors(`${spec.path}.${at}`)} onInput={(text) => edit(figure(row, "after_s", text))} attributes={{ min: 0, step: "any", disabled: readOnly }} />
          <Check label={t("rings.dropAll")} checked={row["drop_all"] === true} disabled={readOnly} onChange={(on) => edit(on ? { ...row, drop_all: true } : without(row, "drop_all"))} />
          {row["drop_all"] !== true && <Relaxed row={row} skills={skills} readOnly={readOnly} edit={edit} />}
        </>
      )}
    </Rows>
  );
}

/** Chosen first and added by a word of its own: with the keyboard a list goes from one choice to the next. */
function AddSkill({ label, options, add }: { label: string; options: readonly { value: string; title: string }[]; add: (name: string) => void }) {
  const [name, setName] = useState("");
  const there = options.some((one) => one.value === name);
  return (
    <div class="level wide">
      <Select label={label} placeholder={t("rings.choose")} value={there ? name : ""} options={options} onChange={setName} />
      <Button icon={Plus} disabled={!there} onClick={() => { add(name); setName(""); }}>{t("add")}</Button>
    </div>
  );
}

interface RelaxedProps { row: Entry; skills: readonly { value: string; title: string }[]; readOnly: boolean; edit: (row: Entry) => void }

/** Each skill: as the queue requires it, so many levels less, or not at all. */
function Relaxed({ row, skills, readOnly, edit }: RelaxedProps) {
  const loosen = isMap(row["loosen"]) ? row["loosen"] : {};
  const drop = Array.isArray(row["drop"]) ? row["drop"].map(textOf) : [];
  const named = [...Object.keys(loosen), ...drop.filter((one) => !(one in loosen))];
  const put = (skill: string, how: string): void => {
    const rest = without(row, "loosen", "drop");
    const less = Object.fromEntries(Object.entries(loosen).filter(([name]) => name !== skill));
    if (/^\d+$/.test(how)) less[skill] = Number(how);
    const gone = drop.filter((one) => one !== skill);
    if (how === "drop") gone.push(skill);
    edit({ ...rest, ...(Object.keys(less).length && { loosen: less }), ...(gone.length && { drop: gone }) });
  };
  const ways = [...Array.from({ length: 9 }, (_, n) => ({ value: String(n + 1), title: t(n ? "rings.levels" : "rings.level", { n: n + 1 }) })), { value: "drop", title: t("rings.drop") }];
  const left = skills.filter((one) => !named.includes(one.value));
  return (
    <>
      {named.map((name) => (
        <Select key={name} label={skills.find((one) => one.value === name)?.title ?? name} placeholder={t("rings.as")} value={drop.includes(name) ? "drop" : shown(loosen[name])} options={readOnly ? ways.map((one) => ({ ...one, disabled: true })) : ways} onChange={(how) => put(name, how)} />
      ))}
      {!readOnly && left.length > 0 && <AddSkill label={t("rings.skill")} options={left} add={(name) => put(name, "1")} />}
    </>
  );
}

const WHEN = ["time", "length", "expected_wait", "closed", "no_agents"] as const;
const WHERE = ["queue", "voicemail", "callback", "message"] as const;

export function OverflowField({ spec, value, document, errors, readOnly, set }: EditorProps) {
  const rows = listOf(value);
  const error = (at: number, key: string): string | null => errors(`${spec.path}.${at}.${key}`);
  return (
    <Rows
      label={t(spec.label)} hint={t("overflow.hint")} error={ofRows(rows, spec.path, errors)} rows={rows} readOnly={readOnly} add={t("overflow.add")} fresh={{ when: "expected_wait", over: 300, to: "callback" }}
      title={(at) => t("overflow.one", { n: at + 1 })} change={(next) => set(next.length ? next : undefined)}
    >
      {(row, at, edit) => {
        const to = textOf(row["to"]);
        const whole = errors(`${spec.path}.${at}`);
        const placed = ["when", "over", "to", "target"].some((key) => error(at, key));
        return (
          <>
            <div class="wide"><Select label={t("overflow.when")} value={textOf(row["when"])} error={error(at, "when")} options={WHEN.map((one) => ({ value: one, title: t(`when.${one}`), disabled: readOnly }))} onChange={(when) => edit({ ...(when === "closed" ? without(row, "over") : row), when })} /></div>
            {row["when"] !== "closed" && <Field label={t(row["when"] === "length" ? "overflow.count" : "overflow.seconds")} type="number" value={shown(row["over"])} error={error(at, "over")} onInput={(text) => edit(figure(row, "over", text))} attributes={{ min: 0, step: "any", disabled: readOnly }} />}
            <Select label={t("overflow.to")} value={to} error={error(at, "to")} options={WHERE.map((one) => ({ value: one, title: t(`where.${one}`), disabled: readOnly }))} onChange={(next) => edit({ ...without(row, "target"), to: next })} />
            {to === "queue" && <Select label={t("overflow.queue")} placeholder="—" value={textOf(row["target"])} error={error(at, "target")} options={optionsOf(document, QUEUES).map((one) => ({ ...one, disabled: readOnly }))} onChange={(target) => edit({ ...row, target })} />}
            {to === "message" && <Field label={t("overflow.message")} value={textOf(row["target"])} error={error(at, "target")} onInput={(target) => edit({ ...row, target })} attributes={{ disabled: readOnly }} />}
            {whole && !placed && <p class="field-error" role="alert">{whole}</p>}
          </>
        );
      }}
    </Rows>
  );
}

/** Skills with a level from 1 to 10. Without a mouse one goes on where one was: from what was added to its level, and from
 *  what was taken away to what can be added. */
export function LevelsField({ spec, value, document, errors, readOnly, set }: EditorProps) {
  const box = useRef<HTMLFieldSetElement>(null);
  const next = useRef<"added" | "removed" | null>(null);
  const [levels, setLevels] = useState<Entry>(() => (isMap(value) ? value : {}));
  const skills = optionsOf(document, SKILLS);
  const change = (next: Entry): void => { setLevels(next); set(Object.keys(next).length ? next : undefined); };
  const left = skills.filter((one) => !(one.value in levels));
  useLayoutEffect(() => {
    const fields = next.current === "added" ? "input" : next.current ? "select, input" : "";
    next.current = null;
    if (fields) [...(box.current?.querySelectorAll<HTMLElement>(fields) ?? [])].at(-1)?.focus();
  }, [levels]);
  return (
    <fieldset class="rows-field" ref={box}>
      <legend>{t(spec.label)}</legend>
      {Object.entries(levels).map(([name, level]) => {
        const title = skills.find((one) => one.value === name)?.title ?? name;
        return (
          <div class="level" key={name}>
            <Field label={title} type="number" value={shown(level)} error={errors(`${spec.path}.${name}`)} onInput={(text) => change({ ...levels, [name]: text === "" ? null : Number(text) })} attributes={{ min: 1, max: 10, step: 1, disabled: readOnly }} />
            {!readOnly && <Button kind="quiet" size="small" icon={Trash2} label={`${t("remove")}: ${title}`} onClick={() => { next.current = "removed"; change(without(levels, name)); }} />}
          </div>
        );
      })}
      {!readOnly && left.length > 0 && <AddSkill label={t("levels.add")} options={left} add={(name) => { next.current = "added"; change({ ...levels, [name]: 1 }); }} />}
    </fieldset>
  );
}
