/** The organisation document (`GET /organisation`) edited as a value: every change gives a new document, nothing is mutated.
 *  Keys are as in its YAML: `queues`, `skills`, `calendars`, ... lists of things with a name, or maps from a name. */

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Entry = { [key: string]: Value };
export type Document = { [key: string]: Value };

/** A section is a list of entries with this key field, or a map from name to entry (or to a plain title). */
export interface Section {
  path: string;
  key: string;
  shape: "list" | "map" | "titles";
}

const isEntry = (value: Value | undefined): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const without = (entry: Entry, ...keys: string[]): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key)));

/** A plain value as text; what is no plain value has none. */
export const textOf = (value: Value | undefined): string =>
  value === null || value === undefined || typeof value === "object" ? "" : String(value);

export const nameOf = (entry: Entry, section: Section): string => textOf(entry[section.key]);

/** The entries of a section, all in the form of a list: of a map the name stands in the key field, of titles also the title. */
export function entriesOf(document: Document, section: Section): Entry[] {
  const value = document[section.path];
  if (Array.isArray(value)) return value.filter(isEntry);
  if (!isEntry(value)) return [];
  return Object.entries(value).map(([name, one]) =>
    section.shape === "titles" ? { [section.key]: name, title: one } : { ...(isEntry(one) ? one : {}), [section.key]: name },
  );
}

/** With `entry` instead of the one named `old` (null: added at the end). The order of the others stays. */
export function withEntry(document: Document, section: Section, old: string | null, entry: Entry): Document {
  const all = entriesOf(document, section);
  const at = old === null ? -1 : all.findIndex((one) => one[section.key] === old);
  return { ...document, [section.path]: packed(section, at < 0 ? [...all, entry] : all.with(at, entry)) };
}

/** My changes on somebody else's newer entry: each field that I changed as I have it, all others as they have them.
 *  An entry that is theirs no more is mine as a whole. */
export function onTop(theirs: Entry | undefined, before: Entry, mine: Entry): Entry {
  if (!theirs) return mine;
  const same = (key: string): boolean => JSON.stringify(before[key]) === JSON.stringify(mine[key]);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(mine)])].filter((key) => !same(key));
  const kept = Object.fromEntries(changed.filter((key) => key in mine).map((key) => [key, mine[key] ?? null]));
  return { ...without(theirs, ...changed.filter((key) => !(key in mine))), ...kept };
}

export function withoutEntry(document: Document, section: Section, name: string): Document {
  return { ...document, [section.path]: packed(section, entriesOf(document, section).filter((one) => one[section.key] !== name)) };
}

function packed(section: Section, entries: Entry[]): Value {
  if (section.shape === "list") return entries;
  return Object.fromEntries(
    entries.map((entry) => {
      const name = nameOf(entry, section);
      return [name, section.shape === "titles" ? (entry["title"] ?? name) : without(entry, section.key)];
    }),
  );
}

/** A field of an entry by its path, such as `service_level.threshold_s`. */
export function fieldOf(entry: Entry, path: string): Value | undefined {
  let value: Value | undefined = entry;
  for (const part of path.split(".")) value = isEntry(value) ? value[part] : undefined;
  return value;
}

/** The entry with that field set; `undefined` takes it out, so that the default of the platform holds again. */
export function withField(entry: Entry, path: string, value: Value | undefined): Entry {
  const [first, ...rest] = path.split(".") as [string, ...string[]];
  const inner = entry[first];
  const next = rest.length === 0 ? value : withField(isEntry(inner) ? inner : {}, rest.join("."), value);
  const empty = next === undefined || (rest.length > 0 && isEntry(next) && Object.keys(next).length === 0);
  if (empty) return without(entry, first);
  return { ...entry, [first]: next };
}

/** Who else names this one: a skill that a queue requires, a calendar that queues use. Words of expressions count. */
export function usesOf(document: Document, name: string, inside: readonly string[]): string[] {
  const found: string[] = [];
  const word = new RegExp(`(^|[^a-z0-9_-])${name.replace(/[^a-z0-9_-]/g, "")}([^a-z0-9_-]|$)`);
  const named = (value: Value | undefined): boolean => {
    if (typeof value === "string") return word.test(value);
    if (Array.isArray(value)) return value.some(named);
    return isEntry(value) && Object.entries(value).some(([key, one]) => key === name || named(one));
  };
  for (const path of inside) {
    const value = document[path];
    const entries: [string, Value][] = Array.isArray(value)
      ? value.filter(isEntry).map((one) => [textOf(one["name"] ?? one["id"]), one])
      : isEntry(value) ? Object.entries(value) : [];
    for (const [key, one] of entries) {
      if (isEntry(one) && named(without(one, "name", "id", "title"))) found.push(key);
    }
  }
  return found;
}
