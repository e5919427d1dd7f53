// Rows in an order that does not move under the hand: while somebody points at a list or is in it with the keyboard, rows
// that are known keep their place, those that are gone leave, and new ones come at the end.
import { useRef, useState } from "preact/hooks";

/** Pure: the wanted order, held still when `frozen`. */
export function steady(former: readonly string[], wanted: readonly string[], frozen: boolean): string[] {
  if (!frozen) return [...wanted];
  const there = new Set(wanted);
  const kept = former.filter((id) => there.has(id));
  const known = new Set(kept);
  return [...kept, ...wanted.filter((id) => !known.has(id))];
}

export interface Steady<T> {
  rows: T[];
  hold: { onPointerEnter: () => void; onPointerLeave: () => void; onFocusIn: () => void; onFocusOut: () => void };
}

export function useSteady<T extends { id: string }>(sorted: readonly T[]): Steady<T> {
  const former = useRef<string[]>([]);
  const [pointing, setPointing] = useState(false);
  const [inside, setInside] = useState(false);
  const order = steady(former.current, sorted.map((one) => one.id), pointing || inside);
  former.current = order;
  const byId = new Map(sorted.map((one) => [one.id, one]));
  return {
    rows: order.flatMap((id) => byId.get(id) ?? []),
    hold: {
      onPointerEnter: () => setPointing(true),
      onPointerLeave: () => setPointing(false),
      onFocusIn: () => setInside(true),
      onFocusOut: () => setInside(false),
    },
  };
}
