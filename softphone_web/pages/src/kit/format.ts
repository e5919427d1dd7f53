// Times, durations and numbers as people read them. Everything the server sends is RFC 3339 in UTC.
import { locale } from "./i18n";

/** 75 -> "1:15", 3675 -> "1:01:15". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** 5400 -> "1 h 30 min"; below a minute "45 s". */
export function spent(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const timeOfDay = (at: string | Date): string =>
  new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const timeExact = (at: string | Date): string =>
  new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** A date without a time is that day here, not midnight in Greenwich. */
const dateOf = (at: string | Date): Date => new Date(typeof at === "string" && /^\d{4}-\d\d-\d\d$/.test(at) ? `${at}T12:00` : at);

export const day = (at: string | Date): string =>
  dateOf(at).toLocaleDateString(locale(), { day: "numeric", month: "short", year: "numeric" });

/** Today as a time of day, everything else as a day. */
export function when(at: string, now: Date = new Date()): string {
  return new Date(at).toDateString() === now.toDateString() ? timeOfDay(at) : day(at);
}

/** 0.834 -> "83 %"; null is a dash, never a zero. */
export const percent = (share: number | null): string => (share === null ? "—" : `${Math.round(share * 100)} %`);

/** 0.834 -> "83,4 %": where a tenth tells whether a target is met. */
export const exactPercent = (share: number | null): string =>
  share === null ? "—" : `${(share * 100).toLocaleString(locale(), { maximumFractionDigits: 1 })} %`;

export const number = (value: number | null): string => (value === null ? "—" : value.toLocaleString(locale()));

/** "+593987654321" -> "098 765 4321"; what is no number of Ecuador stays as it is. */
export function phone(address: string | null): string {
  if (address === null) return "";
  const national = address.replace(/^\+?593/, "0");
  if (/^09\d{8}$/.test(national)) return `${national.slice(0, 3)} ${national.slice(3, 6)} ${national.slice(6)}`;
  if (/^0[2-7]\d{7}$/.test(national)) return `${national.slice(0, 2)} ${national.slice(2, 5)} ${national.slice(5)}`;
  return address;
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return `${words[0]?.[0] ?? "?"}${last?.[0] ?? ""}`.toUpperCase();
}

/** For searching as people type: no accents, no capitals. */
export const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** "agua_potable" -> "Agua potable": a flow may give codes that the organisation does not list. */
export const spoken = (code: string): string => code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
