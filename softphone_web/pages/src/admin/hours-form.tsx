// Opening hours as a form: each weekday with its periods, and days with hours of their own.
import { Copy, Plus, Trash2 } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../kit/button";
import type { Value } from "./document";
import { DAYS, isTime, keyOf, packedWeek, periodsOf, timeOf, weekOf, written, wrongIn, type Period, type Week } from "./hours";
import type { EditorProps } from "./orgfield";
import { t } from "./texts";

const FIRST: Period = { from: "08:00", to: "13:00" };
const NEXT: Period = { from: "14:00", to: "17:00" };

/** Midnight as an end is the end of the day. */
const end = (time: string): string => (time === "00:00" ? "24:00" : time);

interface TimeProps { label: string; value: string; readOnly: boolean; wrong: boolean; change: (time: string) => void }

/** Of 24 hours in every browser: a native field of a time is told in the browser's language, not in the page's. While one
 *  types, only a whole time counts; on leaving it "8" and "830" are times, too. */
function TimeInput({ label, value, readOnly, wrong, change }: TimeProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const left = (typed: string): void => { setText(timeOf(typed)); change(timeOf(typed)); };
  return (
    <input
      class="input time" type="text" inputMode="numeric" maxLength={5} autocomplete="off" placeholder="00:00" value={text} disabled={readOnly} aria-label={label} aria-invalid={wrong ? true : undefined}
      onInput={(event) => { const typed = event.currentTarget.value; setText(typed); if (isTime(typed)) change(typed); }}
      onChange={(event) => left(event.currentTarget.value)}
    />
  );
}

interface HoursProps { of: string; periods: readonly Period[]; error: string | null; readOnly: boolean; change: (periods: Period[]) => void }

function Hours({ of, periods, error, readOnly, change }: HoursProps) {
  const wrong = wrongIn(periods);
  const said = wrong ? t(`hours.${wrong}`) : error;
  const set = (at: number, one: Period): void => change(periods.map((before, index) => (index === at ? one : before)));
  return (
    <div class="hours">
      {periods.length === 0 && <span class="muted">{t("hours.closed")}</span>}
      {periods.map((one, at) => (
        <span class="hours-one" key={at}>
          <TimeInput label={t("hours.from", { of, n: at + 1 })} value={one.from} readOnly={readOnly} wrong={!!said} change={(from) => set(at, { ...one, from })} />
          <span aria-hidden="true">–</span>
          <TimeInput label={t("hours.to", { of, n: at + 1 })} value={one.to} readOnly={readOnly} wrong={!!said} change={(to) => set(at, { ...one, to: end(to) })} />
          {!readOnly && <Button kind="quiet" size="small" icon={Trash2} label={t("hours.remove", { of, n: at + 1 })} onClick={() => change(periods.filter((_, index) => index !== at))} />}
        </span>
      ))}
      {!readOnly && <Button kind="quiet" size="small" icon={Plus} label={t("hours.add", { of })} onClick={() => change([...periods, periods.length ? NEXT : FIRST])} />}
      {said && <p class="field-error" role="alert">{said}</p>}
    </div>
  );
}

export function WeekField({ spec, value, errors, readOnly, set, broken }: EditorProps) {
  const [week, setWeek] = useState<Week>(() => weekOf(value));
  const change = (next: Week): void => {
    setWeek(next);
    const wrong = DAYS.map((day) => wrongIn(next[day])).find((one) => one !== null);
    broken(wrong ? t(`hours.${wrong}`) : null);
    set(packedWeek(next));
  };
  const toFriday = (): void => change({ ...week, tue: week.mon, wed: week.mon, thu: week.mon, fri: week.mon });
  return (
    <fieldset class="rows-field">
      <legend>{t(spec.label)}</legend>
      {DAYS.map((day) => {
        const key = keyOf(value, day);
        // told once, at the first of the days that share these hours
        const error = key && keyOf(value, DAYS[DAYS.indexOf(day) - 1] ?? "mon") !== key ? errors(`week.${key}`) : day === "mon" && key ? errors(`week.${key}`) : null;
        return (
          <div class="hours-day" key={day}>
            <span>{t(`day.${day}`)}</span>
            <Hours of={t(`day.${day}`)} periods={week[day]} error={error} readOnly={readOnly} change={(periods) => change({ ...week, [day]: periods })} />
          </div>
        );
      })}
      {!readOnly && <div><Button size="small" icon={Copy} onClick={toFriday}>{t("hours.copy")}</Button></div>}
    </fieldset>
  );
}

interface Special { date: string; periods: readonly Period[] }

const specialOf = (value: Value | undefined): Special[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value).map(([date, hours]) => ({ date, periods: periodsOf(hours) })) : [];

export function SpecialField({ spec, value, errors, readOnly, set, broken }: EditorProps) {
  const [days, setDays] = useState(() => specialOf(value));
  const twice = (date: string): boolean => days.filter((one) => one.date === date).length > 1;
  const change = (next: Special[]): void => {
    setDays(next);
    const bad = next.some((one) => !one.date || wrongIn(one.periods)) || new Set(next.map((one) => one.date)).size < next.length;
    broken(bad ? t("special.bad") : null);
    const dated = next.filter((one) => one.date).sort((a, b) => a.date.localeCompare(b.date));
    set(dated.length ? Object.fromEntries(dated.map((one) => [one.date, written(one.periods)])) : undefined);
  };
  const edit = (at: number, one: Special): void => change(days.map((before, index) => (index === at ? one : before)));
  return (
    <fieldset class="rows-field">
      <legend>{t(spec.label)}</legend>
      <p class="field-hint">{t("special.hint")}</p>
      {days.map((one, at) => (
        <div class="hours-day" key={at}>
          <span class="hours-one">
            <input class="input" type="date" value={one.date} disabled={readOnly} aria-label={t("special.date", { n: at + 1 })} aria-invalid={!one.date || twice(one.date) ? true : undefined} onInput={(event) => edit(at, { ...one, date: event.currentTarget.value })} />
            {!readOnly && <Button kind="quiet" size="small" icon={Trash2} label={t("special.remove", { date: one.date || String(at + 1) })} onClick={() => change(days.filter((_, index) => index !== at))} />}
          </span>
          <Hours of={one.date} periods={one.periods} error={!one.date ? t("special.noDate") : twice(one.date) ? t("special.twice") : errors(`special.${one.date}`)} readOnly={readOnly} change={(periods) => edit(at, { ...one, periods })} />
        </div>
      ))}
      {!readOnly && <div><Button size="small" icon={Plus} onClick={() => change([...days, { date: "", periods: [] }])}>{t("special.add")}</Button></div>}
    </fieldset>
  );
}
