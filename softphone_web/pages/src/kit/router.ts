// Addresses inside one page (/admin/colas/agua): the page's document stays, its content follows.
import { signal } from "@preact/signals";

export const path = signal(typeof location === "undefined" ? "/" : location.pathname);

export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  path.value = location.pathname;
}

if (typeof window !== "undefined") window.addEventListener("popstate", () => void (path.value = location.pathname));

/** For `onClick` of a link of the same page: new tabs and foreign links keep their meaning. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest("a");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.target || link.origin !== location.origin) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
