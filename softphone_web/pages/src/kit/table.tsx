import type { ComponentChildren } from "preact";

export interface Column<T> {
  id: string;
  title: string;
  /** Beside the title: what the column means. */
  about?: ComponentChildren;
  cell: (row: T) => ComponentChildren;
  /** Figures stand at the right. */
  figure?: boolean;
  width?: string;
}

export interface TableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  current?: string | null;
  onOpen?: (row: T) => void;
  empty?: ComponentChildren;
  /** On a phone's width it stays a table, and is scrolled: many rows of few figures. Others stack their cells. */
  wide?: boolean;
}

/** A table whose rows can be opened by click, Enter and arrows. The caption is for screen readers. */
export function Table<T>({ caption, columns, rows, rowKey, current, onOpen, empty, wide = false }: TableProps<T>) {
  if (rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div class="table-scroll" tabIndex={onOpen ? undefined : 0} role="region" aria-label={caption}>
      <table class={`table${onOpen ? " opens" : ""}${wide ? "" : " stacks"}`}>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((one) => (
              <th key={one.id} scope="col" class={one.figure ? "figure" : undefined} style={one.width ? { width: one.width } : undefined}>
                {one.title} {one.about}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                tabIndex={onOpen ? 0 : undefined}
                aria-current={current === key ? "true" : undefined}
                onClick={onOpen && (() => onOpen(row))}
                onKeyDown={onOpen && ((event) => walk(event, () => onOpen(row)))}
              >
                {columns.map((one) => (
                  <td key={one.id} class={one.figure ? "figure" : undefined} data-label={one.title}>{one.cell(row)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function walk(event: KeyboardEvent, open: () => void): void {
  const row = event.currentTarget as HTMLElement;
  if (event.target !== row) return;
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (event.key === "Enter") open();
  else if (next instanceof HTMLElement) next.focus();
  else return;
  event.preventDefault();
}
