import { useState } from "preact/hooks";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { Field } from "../kit/field";
import { when } from "../kit/format";
import { navigate } from "../kit/router";
import { may } from "../kit/session";
import { t as kit } from "../kit/texts";
import { useLoad } from "../kit/use";
import { ListPage } from "./list";
import { NAME } from "./sections";
import { t } from "./texts";
import { items } from "./users";

interface FlowItem { name: string; title: string; version: string; numbers: string[]; problems: { severity: string }[]; updated_at: string | null }

export function Flows() {
  const flows = useLoad(items<FlowItem>("/flows"), []);
  const [naming, setNaming] = useState(false);
  return (
    <>
      <ListPage
        title={t("nav.flows")} loaded={flows} rowKey={(one) => one.name} words={(one) => `${one.name} ${one.title} ${one.numbers.join(" ")}`}
        onOpen={(one) => navigate(`/admin/flujos/${encodeURIComponent(one.name)}`)} onAdd={may("flows.write") ? () => setNaming(true) : undefined}
        columns={[
          { id: "title", title: t("org.title"), cell: (one) => <strong>{one.title}</strong> },
          { id: "name", title: t("flows.file"), cell: (one) => <code>{one.name}</code> },
          { id: "numbers", title: t("flows.numbers"), cell: (one) => one.numbers.map((number) => (number === "*" ? t("flows.everything") : number)).join(", ") || "—" },
          { id: "version", title: t("flows.version"), cell: (one) => <code>{one.version.slice(0, 8)}</code> },
          { id: "updated", title: t("flows.updated"), cell: (one) => (one.updated_at ? when(one.updated_at) : "—") },
          {
            id: "problems", title: t("flows.problems"), cell: (one) => {
              const errors = one.problems.filter((each) => each.severity === "error").length;
              return errors ? <Badge tone="bad">{t("flow.errors", { n: errors })}</Badge> : one.problems.length ? <Badge quiet tone="warn">{t("flow.doubts", { n: one.problems.length })}</Badge> : <Badge quiet tone="good">{t("flow.clean")}</Badge>;
            },
          },
        ]}
      />
      {naming && <NewFlow taken={flows.data?.map((one) => one.name) ?? []} onClose={() => setNaming(false)} />}
    </>
  );
}

function NewFlow({ taken, onClose }: { taken: readonly string[]; onClose: () => void }) {
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState("");
  const go = (): void => {
    if (!NAME.test(name)) setWrong(t("org.badName"));
    else if (taken.includes(name)) setWrong(t("org.taken", { name }));
    else navigate(`/admin/flujos/${name}?nuevo`);
  };
  return (
    <Dialog title={t("flows.new")} size="small" onClose={onClose} onSubmit={go} actions={<><Button onClick={onClose}>{kit("cancel")}</Button><Button kind="primary" type="submit">{t("add")}</Button></>}>
      <Field label={t("flows.file")} hint={t("org.nameHint")} value={name} onInput={setName} error={wrong || null} attributes={{ spellcheck: false, autocapitalize: "none" }} />
    </Dialog>
  );
}
