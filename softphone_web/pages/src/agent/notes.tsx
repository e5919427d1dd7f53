import { signal } from "@preact/signals";
import { useActions } from "../kit/actions";
import { api, idPart } from "../kit/api";
import { Button } from "../kit/button";
import { Area } from "../kit/field";
import { when } from "../kit/format";
import { tell, tellError } from "../kit/toast";
import type { Note } from "../kit/types";
import { useBusy, useLoad } from "../kit/use";
import { commands } from "./desk";
import { t } from "./texts";

/** What is typed and not saved yet, by interaction: it outlives a change of view. */
const drafts = signal<Readonly<Record<string, string>>>({});

export function Notes({ interaction }: { interaction: string }) {
  const notes = useLoad((abort) => api.get<{ items: Note[] }>(`/interactions/${idPart(interaction)}/notes`, abort), [interaction]);
  const [busy, run] = useBusy();
  const text = drafts.value[interaction] ?? "";
  const write = (next: string): void => void (drafts.value = { ...drafts.value, [interaction]: next });
  const save = (): void => void run(() => commands.note(interaction, text.trim()).then(() => {
    write("");
    notes.reload();
    tell(t("notes.saved"), { tone: "good" });
  }, tellError));
  useActions([{ id: "note", title: t("notes.title"), key: "n", group: t("keys.page"), run: () => document.querySelector<HTMLElement>("#notes textarea")?.focus() }]);
  return (
    <section class="notes" id="notes">
      <Area
        label={t("notes.title")} rows={2} value={text} onInput={write}
        attributes={{ placeholder: t("notes.placeholder"), maxlength: 2000, onKeyDown: (event: KeyboardEvent) => { if (event.key === "Enter" && event.altKey && text.trim()) save(); } }}
      />
      <div class="notes-foot">
        {notes.data?.items.length === 0 && <span class="muted small">{t("notes.none")}</span>}
        <Button size="small" busy={busy} disabled={!text.trim()} onClick={save}>{t("notes.add")}</Button>
      </div>
      <NoteList notes={notes.data?.items ?? []} />
    </section>
  );
}

export function NoteList({ notes }: { notes: readonly Note[] }) {
  if (notes.length === 0) return null;
  return (
    <ul class="note-list">
      {notes.map((one) => (
        <li key={one.id}>
          <p>{one.text}</p>
          <p class="muted small">{one.by} · {when(one.at)}</p>
        </li>
      ))}
    </ul>
  );
}
