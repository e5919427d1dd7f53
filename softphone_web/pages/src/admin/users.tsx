import { LockKeyhole } from "lucide-preact";
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Badge } from "../kit/badge";
import { Button } from "../kit/button";
import { Dialog, Sheet } from "../kit/dialog";
import { Check, Field, Select } from "../kit/field";
import { timeExact } from "../kit/format";
import { Problem, sentence } from "../kit/problem";
import { may, session } from "../kit/session";
import { t as kit } from "../kit/texts";
import { tell, tellError } from "../kit/toast";
import { useBusy, useLoad } from "../kit/use";
import { ListPage } from "./list";
import { t } from "./texts";

export interface User {
  id: string;
  username: string;
  name: string;
  role: string;
  agent: string | null;
  disabled: boolean;
  totp: boolean;
  must_change_password: boolean;
  single_sign_on: boolean;
  refused: Refused | null;
}
export interface Refused { attempts: number; last_at: string; locked_until: string | null; origins: string[] }
export interface Role { name: string; title: string; built_in: boolean; permissions: string[] }
interface AgentRef { id: string; name: string }
type Draft = Pick<User, "username" | "name" | "role" | "agent" | "disabled"> & { id: string | null };

// What the server says of the agent, and not of the user name.
const AGENT_PROBLEMS = new Set(["users.agent_taken", "users.no_such_agent"]);
const NEW: Draft = { id: null, username: "", name: "", role: "agent", agent: null, disabled: false };

export const items = <T,>(path: string) => (signal: AbortSignal): Promise<readonly T[]> => api.get<{ items: T[] }>(path, signal).then((answer) => answer.items);

export function Users() {
  const users = useLoad(items<User>("/users"), []);
  const roles = useLoad(items<Role>("/roles"), []);
  const agents = useLoad(items<AgentRef>("/agents"), []);
  const [open, setOpen] = useState<Draft | null>(null);
  const [password, setPassword] = useState<{ name: string; password: string } | null>(null);
  const writes = may("users.write");
  const roleTitle = (name: string): string => roles.data?.find((one) => one.name === name)?.title ?? name;
  const agentName = (id: string | null): string => (id === null ? "" : (agents.data?.find((one) => one.id === id)?.name ?? id));
  return (
    <>
      <ListPage
        title={t("nav.users")} above={<LockedAddresses />} loaded={users} rowKey={(one) => one.id} words={(one) => `${one.name} ${one.username} ${roleTitle(one.role)} ${agentName(one.agent)}`}
        note={writes ? undefined : t("readOnly")} onOpen={setOpen} onAdd={writes ? () => setOpen(NEW) : undefined} current={open?.id ?? null}
        columns={[
          { id: "name", title: t("user.name"), cell: (one) => <strong>{one.name}</strong> },
          { id: "username", title: t("user.username"), cell: (one) => one.username },
          { id: "role", title: t("user.role"), cell: (one) => roleTitle(one.role) },
          { id: "agent", title: t("user.agent"), cell: (one) => agentName(one.agent) || "—" },
          { id: "totp", title: t("user.totp"), cell: (one) => <Badge quiet tone={one.totp ? "good" : "idle"}>{t(one.totp ? "user.on" : "user.off")}</Badge> },
          { id: "state", title: t("user.state"), cell: (one) => one.refused?.locked_until ? <Badge quiet tone="bad">{t("user.locked")}</Badge> : one.disabled ? <Badge quiet tone="off">{t("user.disabled")}</Badge> : one.must_change_password ? <Badge quiet tone="warn">{t("user.mustChange")}</Badge> : <Badge quiet tone="good">{t("user.active")}</Badge> },
        ]}
      />
      {open && <UserSheet draft={open} user={users.data?.find((one) => one.id === open.id) ?? null} roles={roles.data ?? []} agents={agents.data ?? []} onPassword={setPassword} onClose={() => setOpen(null)} onChanged={users.reload} onSaved={() => { setOpen(null); users.reload(); }} />}
      {password && <TemporaryPassword {...password} onClose={() => setPassword(null)} />}
    </>
  );
}

interface SheetProps {
  draft: Draft;
  user: User | null;
  roles: readonly Role[];
  agents: readonly AgentRef[];
  onPassword: (told: { name: string; password: string }) => void;
  onClose: () => void;
  onChanged: () => void;
  onSaved: () => void;
}

function UserSheet({ draft: first, user, roles, agents, onPassword, onClose, onChanged, onSaved }: SheetProps) {
  const [draft, setDraft] = useState(first);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [busy, run] = useBusy();
  const writes = may("users.write");
  const own = user !== null && session.value?.user.id === user.id;
  const binds = writes && may("roles.write") && !own;
  const change = (more: Partial<Draft>): void => setDraft({ ...draft, ...more });
  const save = (): void => {
    const empty = (["name", "username"] as const).filter((key) => !draft[key].trim());
    if (empty.length) {
      setWrong(Object.fromEntries(empty.map((key) => [key, t("user.needed")])));
      return;
    }
    const { id, ...body } = draft;
    void run(async () => {
      try {
        if (id === null) {
          const made = await api.post<{ user: User; password: string }>("/users", body);
          onPassword({ name: made.user.name, password: made.password });
        } else await api.put(`/users/${idPart(id)}`, body);
        tell(t("saved"), { tone: "good" });
        onSaved();
      } catch (error) {
        if (error instanceof Problem && error.errors.length) setWrong(Object.fromEntries(error.errors.map((one) => [one.field, one.message])));
        else setWrong({ [error instanceof Problem && AGENT_PROBLEMS.has(error.code) ? "agent" : "username"]: sentence(error) });
      }
    });
  };
  const act = (work: Promise<unknown>, said: string): void => void run(() => work.then(() => tell(said, { tone: "good" }), tellError));
  return (
    <Sheet
      title={user ? user.name : t("user.new")} onClose={onClose} onSubmit={save}
      actions={writes ? <><Button onClick={onClose}>{kit("cancel")}</Button><Button kind="primary" type="submit" busy={busy}>{kit("save")}</Button></> : undefined}
    >
      {user?.refused && <RefusedAttempts user={user} refused={user.refused} onLifted={onChanged} />}
      <Field label={t("user.name")} value={draft.name} onInput={(name) => change({ name })} error={wrong["name"] ?? null} attributes={{ disabled: !writes, autocomplete: "off" }} />
      <Field label={t("user.username")} value={draft.username} onInput={(username) => change({ username })} error={wrong["username"] ?? null} attributes={{ disabled: !writes, autocomplete: "off", autocapitalize: "none", spellcheck: false }} />
      <Select label={t("user.role")} value={draft.role} options={roles.map((one) => ({ value: one.name, title: one.title }))} onChange={(role) => change({ role })} error={wrong["role"] ?? null} />
      <Select label={t("user.agent")} hint={t(binds || !writes ? "user.agentHint" : own ? "user.agentOwn" : "user.agentFixed")} disabled={!binds} value={draft.agent ?? ""} placeholder={t("user.noAgent")} options={agents.map((one) => ({ value: one.id, title: one.name }))} onChange={(agent) => change({ agent: agent || null })} error={wrong["agent"] ?? null} />
      <Check label={t("user.disable")} hint={t("user.disableHint")} checked={draft.disabled} disabled={!writes} onChange={(disabled) => change({ disabled })} />
      {user && writes && (
        <section class="stack">
          <h3>{t("user.more")}</h3>
          <div class="row">
            <Button size="small" disabled={busy} onClick={() => void run(() => api.post<{ password: string }>(`/users/${idPart(user.id)}/password`).then((told) => onPassword({ name: user.name, password: told.password }), tellError))}>{t("user.reset")}</Button>
            <Button size="small" disabled={busy} onClick={() => act(api.delete(`/users/${idPart(user.id)}/sessions`), t("user.sessionsEnded"))}>{t("user.endSessions")}</Button>
            {user.totp && <Button size="small" disabled={busy} onClick={() => act(api.delete(`/users/${idPart(user.id)}/totp`), t("user.totpDropped"))}>{t("user.dropTotp")}</Button>}
          </div>
        </section>
      )}
    </Sheet>
  );
}

/** Attempts to sign in that were refused: how many, from where, until when none more is taken. */
function RefusedAttempts({ user, refused, onLifted }: { user: User; refused: Refused; onLifted: () => void }) {
  const [busy, run] = useBusy();
  const { locked_until: until } = refused;
  const own = session.value?.user.id === user.id;
  const lift = (): void => void run(() => api.delete(`/users/${idPart(user.id)}/lockout`).then(() => { tell(t("user.lifted"), { tone: "good" }); onLifted(); }, tellError));
  return (
    <section class={`lockout${until ? " locked" : ""}`} aria-labelledby="lockout-title">
      <LockKeyhole size={18} aria-hidden="true" />
      <div class="stack">
        <h3 id="lockout-title">{until ? t("user.lockedUntil", { at: timeExact(until) }) : t("user.refused")}</h3>
        <dl class="lockout-facts">
          <div><dt>{t("user.attempts")}</dt><dd>{refused.attempts}</dd></div>
          <div><dt>{t("user.lastAttempt")}</dt><dd>{timeExact(refused.last_at)}</dd></div>
          <div><dt>{t("audit.from")}</dt><dd>{refused.origins.length ? refused.origins.map((one) => <code key={one}>{one}</code>) : t("user.unknownOrigin")}</dd></div>
        </dl>
        {until && <p class="muted small">{t(own ? "user.ownLockout" : "user.lockedHint")}</p>}
        {may("users.write") && !own && <div><Button size="small" busy={busy} onClick={lift}>{t(until ? "user.lift" : "user.forgetAttempts")}</Button></div>}
      </div>
    </section>
  );
}

interface LockedAddress { address: string; attempts: number; last_at: string; locked_until: string }

/** From where nobody may sign in for now; nothing is there while there is none. */
function LockedAddresses() {
  const locked = useLoad(items<LockedAddress>("/locked-addresses"), []);
  const [busy, run] = useBusy();
  const lift = ({ address }: LockedAddress): void =>
    void run(() => api.delete(`/locked-addresses/${idPart(address)}`).then(() => { tell(t("address.lifted", { address }), { tone: "good" }); locked.reload(); }, tellError));
  if (!locked.data?.length) return null;
  return (
    <section class="lockout locked" aria-labelledby="addresses-title">
      <LockKeyhole size={18} aria-hidden="true" />
      <div class="stack">
        <h2 id="addresses-title">{t("address.title")}</h2>
        <p class="small">{t("address.hint")}</p>
        <ul class="locked-addresses">
          {locked.data.map((one) => (
            <li key={one.address}>
              <code>{one.address}</code><span>{t("address.until", { at: timeExact(one.locked_until) })}</span><span>{t("address.attempts", { n: one.attempts })}</span>
              {may("users.write") && <Button size="small" busy={busy} attributes={{ "aria-label": t("address.lift", { address: one.address }) }} onClick={() => lift(one)}>{t("user.lift")}</Button>}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function TemporaryPassword({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  const copy = (): void => void navigator.clipboard.writeText(password).then(() => tell(t("user.copied"), { tone: "good" }), tellError);
  return (
    <Dialog title={t("user.temporary", { name })} size="small" onClose={onClose} actions={<><Button onClick={copy}>{t("user.copy")}</Button><Button kind="primary" onClick={onClose}>{kit("close")}</Button></>}>
      <code class="secret">{password}</code>
      <p class="muted">{t("user.temporaryHint")}</p>
    </Dialog>
  );
}
