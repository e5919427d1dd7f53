// Texts in two languages. A dictionary is typed: each key has both sentences, and a key that is not there is an error
// of the compiler. One file `texts.ts` an area of the pages.
import { signal } from "@preact/signals";

export type Language = "es" | "en";
export type Params = Record<string, string | number>;
type Pair = readonly [es: string, en: string];

/** The language of the page; reading it while rendering makes the component follow it. */
export const language = signal<Language>("es");

const fill = (text: string, params: Params): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));

/**
 * const t = texts({ waiting: ["{n} en espera", "{n} waiting"] });
 * t("waiting", { n: 3 })
 * t.found("state." + code): of a key that is made of the server's words; null where it is newer than this page
 */
export function texts<const T extends Record<string, Pair>>(dictionary: T): ((key: keyof T & string, params?: Params) => string) & {
  dictionary: T;
  found: (key: string, params?: Params) => string | null;
} {
  const say = (key: keyof T & string, params: Params = {}): string => {
    const pair = dictionary[key];
    if (!pair) return key; // a state that a newer server knows: its own word, not a broken page
    return fill(pair[language.value === "es" ? 0 : 1], params);
  };
  const found = (key: string, params?: Params): string | null => (Object.hasOwn(dictionary, key) ? say(key, params) : null);
  return Object.assign(say, { dictionary, found });
}

/** "es-EC" or "en": for dates and numbers. */
export const locale = (): string => (language.value === "es" ? "es-EC" : "en");

export function setLanguage(next: Language): void {
  language.value = next;
  document.documentElement.lang = locale();
}
