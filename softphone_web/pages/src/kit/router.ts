// Addresses inside one page (/admin/colas/agua): the page's document stays, its content follows.
import { batch, signal } from "@preact/signals";

export const path = signal(typeof location === "undefined" ? "/" : location.pathname);
/** With its "?", or empty. */
export const search = signal(typeof location === "undefined" ? "" : location.search);

function look(): void {
  batch(() => {
    path.value = location.pathname;
    search.value = location.search;
  });
}

export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  look();
}

if (typeof window !== "undefined") window.addEventListener("popstate", look);

/** For `onClick` of a link of the same page: new tabs and foreign links keep their meaning. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest("a");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.target || link.origin !== location.origin) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
