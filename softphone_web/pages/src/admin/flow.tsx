// One flow: its text at the left with every mistake under its line, at the right the picture, the rehearsal, the versions.
import { ArrowLeft, Save } from "lucide-preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Field } from "../kit/field";
import { Problem, sentence } from "../kit/problem";
import { follow } from "../kit/router";
import { may } from "../kit/session";
import { Banner, ErrorState, Skeleton } from "../kit/states";
import { Tabs } from "../kit/tabs";
import { t as kit } from "../kit/texts";
import { tell } from "../kit/toast";
import { useBusy, useLoad, useSettled } from "../kit/use";
import { DiffView } from "./diffview";
import { Drawing, type NodeRef } from "./drawing";
import type { Mark } from "./editor";
import { t } from "./texts";
import { TryPanel } from "./tryout";
import { Versions, type Version } from "./versions";
import { YamlEditor } from "./yamleditor";

interface Flow { name: string; yaml: string; version: string | null; versions: readonly Version[] }
interface Checked { problems: readonly Mark[]; svg: string | null; nodes: readonly NodeRef[] }

const NEW_FLOW = (name: string): Flow => ({ name, yaml: `flow: ${name}\n`, version: null, versions: [] });

export function FlowPage({ name, isNew }: { name: string; isNew: boolean }) {
  const loaded = useLoad((signal) => (isNew ? Promise.resolve(NEW_FLOW(name)) : api.get<Flow>(`/flows/${idPart(name)}`, signal)), [name, isNew]);
  if (!loaded.data) return loaded.error ? <ErrorState error={loaded.error} onRetry={loaded.reload} /> : <Skeleton lines={10} />;
  return <FlowEditor key={loaded.data.version} flow={loaded.data} reload={loaded.reload} />;
}

/** Checked again when the typing has rested; the former picture stays until the next one is there. */
function useCheck(name: string, text: string): { checked: Checked | null; checking: boolean } {
  const settled = useSettled(text, 350);
  const found = useLoad(() => api.post<Checked>("/flows/check", { name, yaml: settled }), [name, settled]);
  const [picture, setPicture] = useState<Pick<Checked, "svg" | "nodes">>({ svg: null, nodes: [] });
  useEffect(() => { if (found.data?.svg) setPicture(found.data); }, [found.data]);
  const checked = found.data && { ...found.data, svg: found.data.svg ?? picture.svg, nodes: found.data.nodes.length ? found.data.nodes : picture.nodes };
  return { checked, checking: found.loading || settled !== text };
}

function FlowEditor({ flow, reload }: { flow: Flow; reload: () => void }) {
  const [text, setText] = useState(flow.yaml);
  const [line, setLine] = useState(1);
  const [place, setPlace] = useState<{ line: number } | null>(null);
  const [tab, setTab] = useState("picture");
  const [played, setPlayed] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const { checked, checking } = useCheck(flow.name, text);
  const writes = may("flows.write");
  const changed = text !== flow.yaml;
  const problems = checked?.problems ?? [];
  const errors = problems.filter((one) => one.severity === "error").length;
  const nodes = useMemo(() => [...(checked?.nodes ?? [])].sort((a, b) => a.line - b.line), [checked]);
  const current = played ?? nodes.findLast((one) => one.line <= line)?.name ?? null;
  const goTo = (to: number): void => setPlace({ line: to });
  useActions([{ id: "save-flow", title: t("flow.save"), key: "ctrl+s", group: t("nav.flows"), inFields: true, disabled: !writes, run: () => setSaving(true) }]);
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  return (
    <section class="flow-page">
      <header class="flow-head">
        <a href="/admin/flujos" class="button quiet only-icon" aria-label={t("flow.back")} title={t("flow.back")} onClick={follow}><ArrowLeft size={18} aria-hidden="true" /></a>
        <h1>{flow.name}</h1>
        <span role="status" class="row">
          {!checked ? <span class="muted">{t("flow.checking")}</span> : errors ? <Badge tone="bad">{t("flow.errors", { n: errors })}</Badge> : <Badge tone="good">{t("flow.clean")}</Badge>}
          {problems.length > errors && <Badge tone="warn">{t("flow.doubts", { n: problems.length - errors })}</Badge>}
          {changed && <Badge quiet tone="busy">{t("flow.changed")}</Badge>}
        </span>
        {writes && <Button kind="primary" icon={Save} keyHint="ctrl+s" disabled={!changed && flow.version !== null} onClick={() => setSaving(true)}>{t("flow.save")}</Button>}
      </header>
      <div class="flow-panes">
        <div class="flow-text">
          <YamlEditor text={text} label={t("flow.editor")} readOnly={!writes} marks={checking && !checked ? [] : problems} onChange={setText} onLine={setLine} goTo={place} />
          <ul class="flow-problems" aria-label={t("flows.problems")}>
            {problems.slice(0, 8).map((one) => (
              <li key={`${one.line} ${one.message}`}><button type="button" onClick={() => goTo(one.line)}><span class={one.severity === "error" ? "mark bad" : "mark warn"} aria-hidden="true" />{one.line}:{one.column} {one.message}</button></li>
            ))}
          </ul>
        </div>
        <Tabs
          label={flow.name} value={tab} onChange={setTab}
          tabs={[
            { id: "picture", title: t("flow.picture"), content: () => <Drawing svg={checked?.svg ?? null} nodes={nodes} current={current} goTo={goTo} /> },
            { id: "try", title: t("flow.try"), content: () => <TryPanel flow={flow.name} text={text} onNode={setPlayed} /> },
            { id: "versions", title: t("flow.versions"), count: flow.versions.length, content: () => <Versions flow={flow.name} versions={flow.versions} text={text} onRolledBack={reload} /> },
          ]}
        />
      </div>
      {saving && <SaveDialog flow={flow} text={text} errors={errors} onClose={() => setSaving(false)} onSaved={() => { setSaving(false); reload(); }} load={() => { setSaving(false); reload(); }} />}
    </section>
  );
}

function SaveDialog({ flow, text, errors, onClose, onSaved, load }: { flow: Flow; text: string; errors: number; onClose: () => void; onSaved: () => void; load: () => void }) {
  const [comment, setComment] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [newer, setNewer] = useState<Flow | null>(null); // what somebody else saved meanwhile
  const base = newer ?? flow;
  const [busy, run] = useBusy();
  const save = (): void =>
    void run(async () => {
      setWrong(null);
      try {
        await api.put(`/flows/${idPart(flow.name)}`, { yaml: text, comment: comment.trim(), version: base.version });
        tell(t("flow.saved"), { tone: "good" });
        onSaved();
      } catch (error) {
        if (!(error instanceof Problem && error.code === "flows.version_moved")) {
          setWrong(sentence(error));
          return;
        }
        setNewer(await api.get<Flow>(`/flows/${idPart(flow.name)}`));
      }
    });
  return (
    <Dialog
      title={t("flow.saveTitle")} size="wide" onClose={onClose} onSubmit={save}
      actions={<>{newer && <Button kind="quiet" onClick={load}>{t("flow.load")}</Button>}<Button onClick={onClose}>{kit("cancel")}</Button><Button kind="primary" type="submit" busy={busy} disabled={errors > 0 || text === base.yaml}>{t(newer ? "org.mineAnyway" : "flow.save")}</Button></>}
    >
      {wrong && <Banner tone="bad">{wrong}</Banner>}
      {newer && <Banner tone="bad">{t("flow.moved")}</Banner>}
      {errors > 0 && <Banner tone="bad">{t("flow.errors", { n: errors })}</Banner>}
      <Field label={t("flow.comment")} value={comment} onInput={setComment} attributes={{ maxLength: 300 }} />
      <DiffView before={base.version === null ? "" : base.yaml} after={text} label={t("org.difference")} />
    </Dialog>
  );
}
