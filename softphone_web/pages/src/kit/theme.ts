// Light, dark, or what the system says. Kept in this browser, too, so that the next page opens in it at once.
import { signal } from "@preact/signals";

export type Theme = "light" | "dark" | "auto";
export const theme = signal<Theme>("auto");
const KEY = "rimay.theme";

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing: the session's preference still holds.
  }
}

export function recallTheme(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    kept = null;
  }
  if (kept === "light" || kept === "dark") setTheme(kept);
}
