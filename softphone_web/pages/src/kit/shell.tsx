// What is around every page of people who are signed in: the rail, the account, banners, notices, palette and help.
import type { ComponentChildren } from "preact";
import type { LucideIcon } from "lucide-preact";
import { Headset, Keyboard, LayoutDashboard, LogOut, MonitorPlay, Settings, ShieldCheck, WifiOff } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { useActions } from "./actions";
import { Avatar, type Tone } from "./badge";
import { Button } from "./button";
import { Choice } from "./field";
import { language, type Language } from "./i18n";
import { liveState } from "./live";
import { Menu, MenuItem } from "./menu";
import { CommandPalette, KeysHelp, keysOpen, paletteOpen } from "./palette";
import { SecurityDialog, securityOpen } from "./security";
import { loadSession, may, savePreferences, session, sessionState, signOut } from "./session";
import { Banner, EmptyState, Skeleton } from "./states";
import { t } from "./texts";
import { theme, type Theme } from "./theme";
import { tellError, Toasts } from "./toast";

type NavKey = "agent" | "supervisor" | "wall" | "admin";

interface Section {
  key: NavKey;
  href: string;
  icon: LucideIcon;
  /** Any one of these opens it. */
  needs: readonly string[];
}

export const SECTIONS: readonly Section[] = [
  { key: "agent", href: "/agente", icon: Headset, needs: ["calls.handle"] },
  { key: "supervisor", href: "/supervisor", icon: LayoutDashboard, needs: ["board.read", "interactions.read"] },
  { key: "wall", href: "/pared", icon: MonitorPlay, needs: ["board.read", "interactions.read"] },
  { key: "admin", href: "/admin", icon: Settings, needs: ["users.write", "settings.read", "flows.read", "queues.write", "audit.read"] },
];

/** Where somebody with these permissions begins. */
export function homeOf(permissions: readonly string[]): string {
  const has = (...names: string[]): boolean => names.some((one) => permissions.includes(one));
  if (has("calls.control", "supervise.listen")) return "/supervisor";
  if (has("users.write", "settings.write")) return "/admin";
  return SECTIONS.find((one) => has(...one.needs))?.href ?? "/agente";
}

export interface ShellProps {
  page: NavKey;
  children: ComponentChildren;
  /** At the foot of the rail, above the account: the agent's state. */
  rail?: ComponentChildren;
  tone?: Tone;
}

export function Shell(props: ShellProps) {
  useEffect(() => void loadSession(), []);
  useEffect(() => {
    if (sessionState.value === "out" && !session.value) location.replace(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
  }, [sessionState.value]);
  if (sessionState.value === "failed") return <Failed />;
  if (sessionState.value !== "in") return <div class="page-loading"><Skeleton lines={4} /></div>;
  return <Frame {...props} />;
}

function Frame({ page, children, rail, tone }: ShellProps) {
  const section = SECTIONS.find((one) => one.key === page);
  const allowed = section !== undefined && may(...section.needs);
  const sections = SECTIONS.filter((one) => may(...one.needs));
  useActions([
    { id: "palette", title: t("palette.title"), key: "ctrl+k", run: () => void (paletteOpen.value = true), hidden: true },
    { id: "keys", title: t("me.keys"), key: "?", run: () => void (keysOpen.value = true) },
    ...sections.map((one) => ({ id: `go-${one.key}`, title: t(`nav.${one.key}`), group: t("navigation"), run: () => location.assign(one.href) })),
    { id: "sign-out", title: t("me.signOut"), run: () => void signOut().catch(tellError) },
  ]);
  useEffect(() => { document.title = section ? `${t(`nav.${section.key}`)} · Rimay` : "Rimay"; }, [section, language.value]);
  return (
    <div class="shell">
      <a class="skip" href="#contenido">{t("skip")}</a>
      <aside class="rail">
        <a class="rail-brand" href={homeOf(session.value?.user.permissions ?? [])} aria-label={t("product")}>
          <img src="/static/icon.svg" alt="" width="28" height="28" />
        </a>
        <nav aria-label={t("navigation")}>
          <ul>
            {sections.map((one) => (
              <li key={one.key}>
                <a class="rail-link" href={one.href} aria-current={one.key === page ? "page" : undefined}>
                  <one.icon size={20} aria-hidden="true" />
                  <span>{t(`nav.${one.key}`)}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="rail-foot">
          {rail}
          <Account tone={tone} />
        </div>
      </aside>
      <div class="shell-main">
        <ConnectionBanner />
        <main id="contenido" tabIndex={-1}>{allowed ? children : <Denied />}</main>
      </div>
      <Toasts />
      <CommandPalette />
      <KeysHelp />
      {securityOpen.value && <SecurityDialog />}
    </div>
  );
}

function Account({ tone }: { tone: Tone | undefined }) {
  const user = session.value?.user;
  if (!user) return null;
  return (
    <Menu
      label={t("me.menu")}
      side="right"
      trigger={(attributes) => (
        <button type="button" class="rail-me" {...attributes} aria-label={`${t("me.menu")}: ${user.name}`}>
          <Avatar name={user.name} {...(tone && { tone })} />
        </button>
      )}
    >
      <div class="menu-head">
        <strong>{user.name}</strong>
        <span class="muted small">{user.role_title}</span>
      </div>
      <Choice
        label={t("me.theme")}
        value={theme.value}
        options={(["auto", "light", "dark"] as const).map((one) => ({ value: one, title: t(`me.theme.${one}`) }))}
        onChange={(next) => void savePreferences({ theme: next as Theme }).catch(tellError)}
      />
      <Choice
        label={t("me.language")}
        value={language.value}
        options={[{ value: "es", title: "Español" }, { value: "en", title: "English" }]}
        onChange={(next) => void savePreferences({ language: next as Language }).catch(tellError)}
      />
      <hr />
      <MenuItem onClick={() => void (securityOpen.value = true)}><ShieldCheck size={18} aria-hidden="true" />{t("me.security")}</MenuItem>
      <MenuItem onClick={() => void (keysOpen.value = true)}><Keyboard size={18} aria-hidden="true" />{t("me.keys")}</MenuItem>
      <MenuItem onClick={() => void signOut().catch(tellError)}><LogOut size={18} aria-hidden="true" />{t("me.signOut")}</MenuItem>
    </Menu>
  );
}

export function ConnectionBanner() {
  const state = liveState.value;
  if (state === "waiting") return <Banner tone="warn" icon={WifiOff}>{t("live.waiting")}</Banner>;
  if (state === "offline") return <Banner tone="bad" icon={WifiOff}>{t("live.offline")}</Banner>;
  if (state !== "ended") return null;
  return (
    <Banner tone="bad" icon={WifiOff} action={<Button size="small" onClick={() => location.assign("/")}>{t("live.signIn")}</Button>}>
      {t("live.ended")}
    </Banner>
  );
}

function Denied() {
  const user = session.value?.user;
  return (
    <EmptyState icon={ShieldCheck} title={t("denied.title")}>
      <p>{t("denied.text", { role: user?.role_title ?? "" })}</p>
      <p><a href={homeOf(user?.permissions ?? [])}>{t("denied.home")}</a></p>
    </EmptyState>
  );
}

function Failed() {
  return (
    <div class="page-loading">
      <EmptyState icon={WifiOff} title={t("failed.title")}>
        <p>{t("failed.text")}</p>
        <Button onClick={() => { sessionState.value = "loading"; void loadSession(); }}>{t("retry")}</Button>
      </EmptyState>
    </div>
  );
}
