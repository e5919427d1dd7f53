// Every dictionary of every area: both languages say something, with the same places to fill in.
import { expect, it } from "vitest";

interface Texts {
  dictionary: Record<string, readonly [string, string]>;
}
const modules = import.meta.glob<Record<string, unknown>>(["../**/texts.ts", "./problem.ts"], { eager: true });
const places = (text: string): string => [...text.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort().join();
const isTexts = (value: unknown): value is Texts => typeof value === "function" && "dictionary" in value;

const all = Object.entries(modules).flatMap(([file, module]) => Object.values(module).filter(isTexts).map((one) => [file, one.dictionary] as const));

it("finds the dictionaries", () => expect(all.length).toBeGreaterThan(2));

it.each(all)("%s says everything in both languages", (_file, dictionary) => {
  for (const [key, [es, en]] of Object.entries(dictionary)) {
    expect(es.trim(), key).not.toBe("");
    expect(en.trim(), key).not.toBe("");
    expect(places(en), key).toBe(places(es));
  }
});
