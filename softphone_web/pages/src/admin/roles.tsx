// Roles: those of the platform are to read; one's own are sets of permissions.
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Sheet } from "../kit/dialog";
import { Check, Field } from "../kit/field";
import { groupBy } from "../kit/format";
import { Problem, sentence } from "../kit/problem";
import { may } from "../kit/session";
import { Banner } from "../kit/states";
import { t as kit } from "../kit/texts";
import { tell } from "../kit/toast";
import { useBusy, useLoad } from "../kit/use";
import { ListPage } from "./list";
import { t } from "./texts";
import { items, type Role } from "./users";

interface Permission { name: string; title: string }
type Draft = Role & { isNew: boolean };

export function Roles() {
  const roles = useLoad(items<Role>("/roles"), []);
  const permissions = useLoad(items<Permission>("/permissions"), []);
  const [open, setOpen] = useState<Draft | null>(null);
  const writes = may("roles.write");
  return (
    <>
      <ListPage
        title={t("nav.roles")} loaded={roles} rowKey={(one) => one.name} words={(one) => `${one.title} ${one.name}`} note={writes ? undefined : t("readOnly")}
        onOpen={(one) => setOpen({ ...one, isNew: false })} current={open?.isNew === false ? open.name : null}
        onAdd={writes ? () => setOpen({ name: "", title: "", built_in: false, permissions: [], isNew: true }) : undefined}
        columns={[
          { id: "title", title: t("role.title"), cell: (one) => <strong>{one.title}</strong> },
          { id: "name", title: t("role.name"), cell: (one) => <code>{one.name}</code> },
          { id: "kind", title: t("user.state"), cell: (one) => <Badge quiet tone={one.built_in ? "idle" : "busy"}>{t(one.built_in ? "role.builtIn" : "role.own")}</Badge> },
          { id: "count", title: t("role.permissions"), figure: true, cell: (one) => one.permissions.length },
        ]}
      />
      {open && <RoleSheet key={`${open.name}${open.isNew}`} first={open} all={permissions.data ?? []} onCopy={(role) => setOpen({ ...role, name: "", title: "", built_in: false, isNew: true })} onClose={() => setOpen(null)} onSaved={() => { setOpen(null); roles.reload(); }} />}
    </>
  );
}

function RoleSheet({ first, all, onCopy, onClose, onSaved }: { first: Draft; all: readonly Permission[]; onCopy: (role: Role) => void; onClose: () => void; onSaved: () => void }) {
  const [role, setRole] = useState(first);
  const [error, setError] = useState("");
  const [busy, run] = useBusy();
  const writes = may("roles.write") && !role.built_in;
  const has = new Set(role.permissions);
  const toggle = (name: string, on: boolean): void => setRole({ ...role, permissions: on ? [...role.permissions, name] : role.permissions.filter((one) => one !== name) });
  const send = (work: () => Promise<unknown>): void =>
    void run(() => work().then(() => { tell(t("saved"), { tone: "good" }); onSaved(); }, (problem: unknown) => setError(problem instanceof Problem && problem.errors[0] ? problem.errors[0].message : sentence(problem))));
  const { name, title, permissions } = role;
  const save = (): void => send(() => (first.isNew ? api.post("/roles", { name, title, permissions }) : api.put(`/roles/${idPart(name)}`, { title, permissions })));
  return (
    <Sheet
      title={first.isNew ? t("role.new") : first.title} onClose={onClose} onSubmit={save}
      actions={
        writes ? (
          <>
            {!first.isNew && <Button kind="quiet" onClick={() => send(() => api.delete(`/roles/${idPart(name)}`))}>{t("remove")}</Button>}
            <Button onClick={onClose}>{kit("cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy} disabled={!name || !title}>{kit("save")}</Button>
          </>
        ) : may("roles.write") ? <Button onClick={() => onCopy(first)}>{t("role.fromThis")}</Button> : undefined
      }
    >
      {role.built_in && <p class="muted">{t("role.copy")}</p>}
      {error && <Banner tone="bad">{error}</Banner>}
      <Field label={t("role.title")} value={title} onInput={(value) => setRole({ ...role, title: value })} attributes={{ disabled: !writes }} />
      <Field label={t("role.name")} hint={t("role.nameHint")} value={name} onInput={(value) => setRole({ ...role, name: value })} attributes={{ disabled: !first.isNew, spellcheck: false }} />
      <section class="stack">
        <h3>{t("role.permissions")} <span class="count">{permissions.length}</span></h3>
        {[...groupBy(all, (one) => one.name.split(".")[0] ?? "")].map(([group, ones]) => (
          <div class="permission-group" key={group}>
            {ones.map((one) => <Check key={one.name} label={one.title} hint={<code>{one.name}</code>} checked={has.has(one.name)} disabled={!writes} onChange={(on) => toggle(one.name, on)} />)}
          </div>
        ))}
      </section>
    </Sheet>
  );
}
