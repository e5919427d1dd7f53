/** Mistakes that the server found in the organisation's YAML, brought to the entry and field in whose text they lie. Pure. */
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from "yaml";

export interface Mistake {
  line: number;
  column: number;
  /** Dotted; empty where the text is no YAML at all. */
  key: string;
  message: string;
  hint?: string | null;
}

export interface Place {
  section: string;
  /** The name of the entry, when the mistake lies in one. */
  entry: string | null;
  /** The field of the entry, as a path such as `service_level.target`; a rule in a list stands under its index, as in `rings.0.after_s`. */
  field: string | null;
}

const NAMES = ["id", "name", "code"]; // an agent has both, and their id is the code

/** Where a line and column (from 1) of a YAML text lie; null outside of everything, or when the text cannot be read at all. */
export function placeOf(yaml: string, line: number, column = 1): Place | null {
  const counter = new LineCounter();
  const root = parseDocument(yaml, { lineCounter: counter }).contents;
  const start = counter.lineStarts[line - 1];
  if (start === undefined || !isMap(root)) return null;
  const text = yaml.slice(start).split("\n", 1)[0] ?? "";
  // A mistake told at the beginning of a line means what stands there, not the indent before it.
  const offset = start + Math.max(column - 1, text.search(/[^\s-]|$/));
  const path = pathTo(root, offset);
  if (path.length === 0) return null;
  const [section, second, ...rest] = path as [string, ...string[]];
  return { section, entry: second ?? null, field: rest.length ? rest.join(".") : null };
}

/** Keys from the top to what lies at `offset`; an item of a list stands under its name, a rule without one under its index. */
function pathTo(node: Node | null, offset: number): string[] {
  if (isMap(node)) {
    const pair = node.items.find((one) => holds(one, offset));
    return pair ? [String(isScalar(pair.key) ? pair.key.value : pair.key), ...pathTo(pair.value as Node | null, offset)] : [];
  }
  if (isSeq(node)) {
    const item = (node.items as Node[]).find((one) => !isPair(one) && within(one, offset));
    if (!item) return [];
    const name = isMap(item) ? NAMES.map((key) => item.get(key)).find((value) => typeof value === "string") : undefined;
    const inner = pathTo(item, offset);
    if (isMap(item) && name === undefined) return [String(node.items.indexOf(item)), ...inner];
    return name === undefined ? inner : [name, ...inner];
  }
  return [];
}

function holds(pair: Pair, offset: number): boolean {
  const from = (pair.key as Node | null)?.range?.[0] ?? Infinity;
  const to = (pair.value as Node | null)?.range?.[2] ?? (pair.key as Node | null)?.range?.[2] ?? -1;
  return from <= offset && offset < to;
}

const within = (node: Node, offset: number): boolean => !!node.range && node.range[0] <= offset && offset < node.range[2];

/** The mistakes of one entry by field; those without a field under the empty name. */
export function mistakesOf(yaml: string, mistakes: readonly Mistake[], section: string, entry: string): Map<string, Mistake[]> {
  const found = new Map<string, Mistake[]>();
  for (const one of mistakes) {
    const place = placeOf(yaml, one.line, one.column);
    if (place?.section !== section || place.entry !== entry) continue;
    const field = place.field ?? "";
    found.set(field, [...(found.get(field) ?? []), one]);
  }
  return found;
}
