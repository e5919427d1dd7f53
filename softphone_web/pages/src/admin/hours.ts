/** Opening hours as the organisation writes them (`{mon-fri: ["08:00-13:00", "14:00-17:00"]}`) and as a form shows them. Pure. */
import { textOf, type Entry, type Value } from "./document";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

/** Times of day as HH:MM; the end of a day is 24:00. */
export interface Period { from: string; to: string }
export type Week = Record<Day, readonly Period[]>;

/** "mon-fri" -> the five days; a word that is no day gives none. */
export function daysOf(key: string): readonly Day[] {
  if (key === "all") return DAYS;
  const [first = "", last = first] = key.split("-");
  const [from, to] = [DAYS.indexOf(first as Day), DAYS.indexOf(last as Day)];
  return from < 0 || to < from ? [] : DAYS.slice(from, to + 1);
}

export const periodsOf = (value: Value | undefined): Period[] =>
  Array.isArray(value) ? value.map((one) => { const [from = "", to = ""] = textOf(one).split("-"); return { from: from.trim(), to: to.trim() }; }) : [];

export const written = (periods: readonly Period[]): string[] => periods.map((one) => `${one.from}-${one.to}`);

const isMap = (value: Value | undefined): value is Entry => typeof value === "object" && value !== null && !Array.isArray(value);

export function weekOf(value: Value | undefined): Week {
  const week = Object.fromEntries(DAYS.map((day) => [day, []])) as unknown as Week;
  if (isMap(value)) for (const [key, hours] of Object.entries(value)) for (const day of daysOf(key)) week[day] = periodsOf(hours);
  return week;
}

/** Neighbouring days with the same hours under one key; closed days are left out. */
export function packedWeek(week: Week): Entry | undefined {
  const packed: Entry = {};
  for (let at = 0; at < DAYS.length; ) {
    const same = JSON.stringify(week[DAYS[at] as Day]);
    let end = at;
    while (end + 1 < DAYS.length && JSON.stringify(week[DAYS[end + 1] as Day]) === same) end += 1;
    const key = at === 0 && end === 6 ? "all" : at === end ? DAYS[at] : `${DAYS[at]}-${DAYS[end]}`;
    const hours = written(week[DAYS[at] as Day]);
    if (hours.length && key) packed[key] = hours;
    at = end + 1;
  }
  return Object.keys(packed).length ? packed : undefined;
}

/** The key under which a day's hours stand: where the server's mistakes about them are told. */
export const keyOf = (value: Value | undefined, day: Day): string | null =>
  isMap(value) ? (Object.keys(value).find((key) => daysOf(key).includes(day)) ?? null) : null;

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/;
/** HH:MM, whatever the language of the browser. */
export const isTime = (text: string): boolean => TIME.test(text);

/** A time as people write it, "8", "8:30", "830", "8.30" or "8h30", as HH:MM; what is none stays as it is. */
export function timeOf(text: string): string {
  const found = /^(\d{1,2})\s*[:.hH]?\s*(\d{2})?$/.exec(text.trim());
  const time = found ? `${(found[1] ?? "").padStart(2, "0")}:${found[2] ?? "00"}` : "";
  return isTime(time) ? time : text.trim();
}

/** Why these periods are no hours of one day; null when they are. */
export function wrongIn(periods: readonly Period[]): "missing" | "noTime" | "order" | "overlap" | null {
  if (periods.some((one) => !one.from || !one.to)) return "missing";
  if (periods.some((one) => !isTime(one.from) || !isTime(one.to))) return "noTime";
  if (periods.some((one) => one.from >= one.to)) return "order";
  return periods.some((one, at) => at > 0 && one.from < (periods[at - 1]?.to ?? "")) ? "overlap" : null;
}
