// The whole organisation as its YAML: for what no sheet has a field for.
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { may } from "../kit/session";
import { Banner, ErrorState, Skeleton } from "../kit/states";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy, useLoad, useSettled } from "../kit/use";
import { DiffView } from "./diffview";
import { Head } from "./list";
import { Difference } from "./orgsheet";
import { checkText, hasMoved, loadOrganisation, saveText, type Organisation } from "./orgstore";
import { t } from "./texts";
import { YamlEditor } from "./yamleditor";

export function OrganisationText() {
  const loaded = useLoad(loadOrganisation, []);
  const [newer, setNewer] = useState<Organisation | null>(null);
  const organisation = newer ?? loaded.data;
  if (!organisation) return loaded.error ? <ErrorState error={loaded.error} onRetry={loaded.reload} /> : <Skeleton lines={10} />;
  return <TextEditor key={organisation.revision} organisation={organisation} onNew={setNewer} />;
}

function TextEditor({ organisation: first, onNew }: { organisation: Organisation; onNew: (organisation: Organisation) => void }) {
  const [organisation, setOrganisation] = useState(first); // newer after a conflict: what was typed stays
  const [text, setText] = useState(first.yaml);
  const [reviewing, setReviewing] = useState(false);
  const [moved, setMoved] = useState(false);
  const [busy, run] = useBusy();
  const writes = may("queues.write");
  const settled = useSettled(text, 400);
  const checked = useLoad(() => (writes && settled !== organisation.yaml ? checkText(settled) : Promise.resolve(null)), [settled, organisation.revision]);
  const mistakes = checked.data?.mistakes ?? [];
  const changed = text !== organisation.yaml;
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const save = (): void =>
    void run(async () => {
      try {
        await saveText(text, organisation);
        tell(t("org.inForce"), { tone: "good" });
        onNew(await loadOrganisation());
      } catch (error) {
        if (!hasMoved(error)) {
          setReviewing(false);
          tellError(error);
          return;
        }
        setOrganisation(await loadOrganisation());
        setMoved(true);
      }
    });
  return (
    <section class="flow-page">
      <Head title={t("nav.yaml")} note={writes ? undefined : t("readOnly")}>
        {mistakes.length ? <Badge tone="bad">{t("org.nMistakes", { n: mistakes.length })}</Badge> : <Badge quiet tone="good">{t("org.noMistakes")}</Badge>}
        {writes && <Button kind="primary" disabled={!changed || mistakes.length > 0 || checked.loading} onClick={() => setReviewing(true)}>{t("org.review")}</Button>}
      </Head>
      <YamlEditor text={text} label={t("nav.yaml")} readOnly={!writes} marks={mistakes.map((one) => ({ ...one, severity: "error" as const }))} onChange={setText} />
      {reviewing && (
        <Dialog title={t("org.difference")} size="wide" onClose={() => setReviewing(false)} onSubmit={save} actions={<>{moved && <Button kind="quiet" onClick={() => onNew(organisation)}>{t("org.discard")}</Button>}<Button onClick={() => setReviewing(false)}>{kit("cancel")}</Button><Button kind="primary" type="submit" busy={busy} disabled={checked.loading || mistakes.length > 0}>{t(moved ? "org.mineAnyway" : "org.save")}</Button></>}>
          {moved && <Banner tone="bad">{t("org.movedText")}</Banner>}
          <Difference lines={checked.data?.difference ?? []} />
          <DiffView before={organisation.yaml} after={text} label={t("org.difference")} />
        </Dialog>
      )}
    </section>
  );
}
