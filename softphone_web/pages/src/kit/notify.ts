// Notices of the system, for who is at another window. Asked for only when a person presses the button for it.
import { signal } from "@preact/signals";

export type Permission = NotificationPermission | "unsupported";

const present = (): Permission => (typeof Notification === "undefined" ? "unsupported" : Notification.permission);

/** What the browser allows; "denied" is undone only in the browser's own settings. */
export const permission = signal<Permission>(present());

export async function askToNotify(): Promise<void> {
  if (present() === "default") await Notification.requestPermission();
  permission.value = present();
}

/**
 * Shows it if nobody is looking at the page; gives back how to take it away. One of the same tag takes the place of
 * the one before. A press on it brings the page to the front.
 */
export function notify(words: { title: string; body: string; tag: string }): () => void {
  if (!document.hidden || present() !== "granted") return () => undefined;
  const shown = new Notification(words.title, { body: words.body, tag: words.tag, icon: "/static/icon.svg" });
  const seen = (): void => {
    if (!document.hidden) shown.close();
  };
  document.addEventListener("visibilitychange", seen);
  shown.onclose = () => document.removeEventListener("visibilitychange", seen);
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
  return () => shown.close();
}
