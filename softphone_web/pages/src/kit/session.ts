// Who is signed in, and what they may do. The menus follow the permissions; the server decides all the same.
import { signal } from "@preact/signals";
import { api, setCsrf, whenSignedOut } from "./api";
import { setLanguage, type Language } from "./i18n";
import { Problem } from "./problem";
import { setTheme, type Theme } from "./theme";

export interface User {
  id: string;
  username: string;
  name: string;
  role: string;
  role_title: string;
  agent: string | null;
  permissions: string[];
  language: Language;
  theme: Theme;
  totp: boolean;
  must_change_password: boolean;
}

export interface Session {
  user: User;
  csrf: string;
  password_shortest: number;
  expires_at: string;
}

export const session = signal<Session | null>(null);
/** "loading" until the first answer; "failed": the server did not answer. */
export const sessionState = signal<"loading" | "in" | "out" | "failed">("loading");

export const may = (...permissions: string[]): boolean =>
  permissions.some((one) => session.value?.user.permissions.includes(one) ?? false);

export function enter(next: Session): void {
  setCsrf(next.csrf);
  setLanguage(next.user.language);
  setTheme(next.user.theme);
  session.value = next;
  sessionState.value = "in";
}

function leave(): void {
  session.value = null;
  sessionState.value = "out";
}

export async function loadSession(): Promise<void> {
  whenSignedOut(leave);
  try {
    const { session: found } = await api.get<{ session: Session | null }>("/sign-in/session");
    if (found) enter(found);
    else leave();
  } catch {
    sessionState.value = "failed";
  }
}

interface SignInOutcome {
  session: Session | null;
  refused: { code: string; detail: string } | null;
}

/** Throws a `Problem` where it was refused, as anything else does that the server refuses. */
export async function signIn(username: string, password: string, code?: string): Promise<void> {
  const { session: opened, refused } = await api.post<SignInOutcome>("/sign-in/session", { username, password, ...(code ? { code } : {}) });
  if (!opened) throw new Problem(401, refused?.code ?? "access.bad_credentials", refused?.detail);
  enter(opened);
}

const farewells: (() => Promise<boolean>)[] = [];
/** What a page ends before its person signs out: a shift, a phone. False: they may not leave now, and were told why. */
export const beforeSignOut = (farewell: () => Promise<boolean>): void => void farewells.push(farewell);

export async function signOut(): Promise<void> {
  for (const farewell of farewells) if (!(await farewell())) return;
  await api.delete("/session");
  leave();
  location.assign("/");
}

export async function savePreferences(change: { language?: Language; theme?: Theme }): Promise<void> {
  if (change.language) setLanguage(change.language);
  if (change.theme) setTheme(change.theme);
  if (!session.value) return;
  session.value = { ...session.value, user: { ...session.value.user, ...change } };
  await api.put("/me/preferences", change);
}
