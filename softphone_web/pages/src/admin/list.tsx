// What most pages of the administration are: a title, a search, a table, something to add.
import type { ComponentChildren } from "preact";
import { Plus, Search } from "lucide-preact";
import { useMemo, useState } from "preact/hooks";
import { Button } from "../kit/button";
import { fold } from "../kit/format";
import { EmptyState, ErrorState, Skeleton } from "../kit/states";
import { Table, type Column } from "../kit/table";
import type { Loaded } from "../kit/use";
import { t } from "./texts";

export function Head({ title, children, note }: { title: string; children?: ComponentChildren; note?: ComponentChildren }) {
  return (
    <header class="admin-head">
      <div><h1>{title}</h1>{note && <p class="muted">{note}</p>}</div>
      <div class="row">{children}</div>
    </header>
  );
}

export interface ListProps<T> {
  title: string;
  note?: ComponentChildren;
  loaded: Loaded<readonly T[]>;
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** What the search looks in. */
  words: (row: T) => string;
  onOpen?: (row: T) => void;
  onAdd?: (() => void) | undefined;
  current?: string | null;
  tools?: ComponentChildren;
  /** What must be seen before the list. */
  above?: ComponentChildren;
  emptyText?: string;
}

export function ListPage<T>({ title, note, loaded, columns, rowKey, words, onOpen, onAdd, current, tools, above, emptyText }: ListProps<T>) {
  const [text, setText] = useState("");
  const rows = useMemo(() => {
    const wanted = fold(text).split(/\s+/).filter(Boolean);
    return (loaded.data ?? []).filter((row) => { const hay = fold(words(row)); return wanted.every((one) => hay.includes(one)); });
  }, [loaded.data, text]);
  return (
    <section class="admin-page">
      <Head title={title} note={note}>
        {tools}
        {onAdd && <Button kind="primary" icon={Plus} onClick={onAdd}>{t("add")}</Button>}
      </Head>
      {above}
      <label class="admin-search">
        <Search size={16} aria-hidden="true" />
        <input type="search" aria-label={t("search", { title })} placeholder={t("search", { title })} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <span class="muted small">{loaded.data ? `${rows.length}${text ? ` / ${loaded.data.length}` : ""}` : ""}</span>
      </label>
      <div class="admin-table">
        {loaded.data === null ? (loaded.error ? <ErrorState error={loaded.error} onRetry={loaded.reload} /> : <Skeleton lines={6} height={28} />)
          : <Table caption={title} columns={columns} rows={rows} rowKey={rowKey} current={current ?? null} {...(onOpen && { onOpen })} empty={<EmptyState title={text ? t("none", { q: text }) : (emptyText ?? t("empty"))} />} />}
      </div>
    </section>
  );
}
