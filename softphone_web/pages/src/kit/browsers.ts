// What a browser says of itself, in two words a person knows: "Firefox en Windows".

/** In this order: most browsers name others, too. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\b(OPR|Opera)\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrom(e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

const first = (found: readonly [RegExp, string][], text: string): string | null => found.find(([pattern]) => pattern.test(text))?.[1] ?? null;

/** Null for what is not known: a program, an empty header. */
export function browserOf(userAgent: string): { browser: string | null; system: string | null; mobile: boolean } {
  return { browser: first(BROWSERS, userAgent), system: first(SYSTEMS, userAgent), mobile: /Mobile|Android|iPhone|iPad/.test(userAgent) };
}
