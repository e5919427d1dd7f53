import { ArrowLeft, BookOpen, ListChecks } from "lucide-preact";
import { useState } from "preact/hooks";
import { api, idPart, query } from "../kit/api";
import { Button } from "../kit/button";
import { Field } from "../kit/field";
import { day } from "../kit/format";
import { Markdown } from "../kit/markdown";
import { EmptyState, ErrorState, Skeleton } from "../kit/states";
import { useLoad, useSettled } from "../kit/use";
import { t } from "./texts";

interface Found {
  id: string;
  title: string;
  excerpt: string;
  updated_at: string;
}
interface Article extends Found {
  body: string;
}

export function KnowledgeTab({ queue }: { queue: string | null }) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  const settled = useSettled(text);
  const found = useLoad((abort) => api.get<{ items: Found[] }>(`/knowledge${query({ q: settled, queue })}`, abort), [settled, queue]);
  if (open) return <ArticleView id={open} onBack={() => setOpen(null)} />;
  return (
    <div class="knowledge">
      <Field label={t("knowledge.search")} type="search" value={text} onInput={setText} attributes={{ autocomplete: "off" }} />
      {found.error !== null && <ErrorState error={found.error} onRetry={found.reload} />}
      {found.data === null && found.error === null && <Skeleton lines={6} />}
      {found.data?.items.length === 0 && <EmptyState icon={BookOpen} title={t("knowledge.none")} />}
      <ul>
        {found.data?.items.map((one) => (
          <li key={one.id}>
            <button type="button" class="knowledge-one" onClick={() => setOpen(one.id)}>
              <strong>{one.title}</strong>
              <span class="muted">{one.excerpt}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function ArticleView({ id, onBack }: { id: string; onBack: () => void }) {
  const article = useLoad((abort) => api.get<Article>(`/knowledge/${idPart(id)}`, abort), [id]);
  return (
    <article class="knowledge">
      <div><Button kind="quiet" size="small" icon={ArrowLeft} onClick={onBack}>{t("knowledge.back")}</Button></div>
      {article.error !== null && <ErrorState error={article.error} onRetry={article.reload} />}
      {article.data === null && article.error === null && <Skeleton lines={6} />}
      {article.data && (
        <>
          <h2>{article.data.title}</h2>
          <Markdown text={article.data.body} />
          <p class="muted small">{t("knowledge.updated", { at: day(article.data.updated_at) })}</p>
        </>
      )}
    </article>
  );
}

interface Script {
  id: string;
  title: string;
  steps: { text: string }[];
}

export function ScriptTab({ queue, reason }: { queue: string | null; reason: string | null }) {
  const scripts = useLoad((abort) => api.get<{ items: Script[] }>(`/scripts${query({ queue, reason })}`, abort), [queue, reason]);
  const [done, setDone] = useState<ReadonlySet<string>>(new Set());
  if (scripts.error !== null) return <ErrorState error={scripts.error} onRetry={scripts.reload} />;
  if (scripts.data === null) return <Skeleton lines={6} />;
  if (scripts.data.items.length === 0) return <EmptyState icon={ListChecks} title={t("script.none")} />;
  return (
    <div class="knowledge">
      {scripts.data.items.map((script) => (
        <section key={script.id} class="part">
          <h2>{script.title}</h2>
          <ol class="script">
            {script.steps.map((step, at) => {
              const key = `${script.id}-${at}`;
              return (
                <li key={key}>
                  <label class="check">
                    <input
                      type="checkbox" checked={done.has(key)} aria-label={t("script.step", { n: at + 1, of: script.steps.length })}
                      onChange={(event) => setDone(new Set(event.currentTarget.checked ? [...done, key] : [...done].filter((one) => one !== key)))}
                    />
                    <span>{step.text}</span>
                  </label>
                </li>
              );
            })}
          </ol>
        </section>
      ))}
    </div>
  );
}
