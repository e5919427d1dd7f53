// Messages of supervisors: each stays until it was read.
import { signal } from "@preact/signals";
import { Check, MessageSquare } from "lucide-preact";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { timeOfDay } from "../kit/format";
import type { Message } from "../kit/types";
import { t } from "./texts";

const KEY = "rimay.messages.read";
const messages = signal<readonly Message[]>([]);
const readUntil = signal(typeof localStorage === "undefined" ? "" : (localStorage.getItem(KEY) ?? ""));

/** What is still to be read, oldest first. Pure. */
export const unread = (all: readonly Message[], until: string): Message[] => all.filter((one) => !one.mine && Date.parse(one.at) > (Date.parse(until) || 0));

export async function loadMessages(): Promise<void> {
  messages.value = (await api.get<{ items: Message[] }>("/messages")).items;
}

export function hear(message: Message): void {
  if (!messages.value.some((one) => one.id === message.id)) messages.value = [...messages.value, message];
}

export function Messages() {
  const open = unread(messages.value, readUntil.value);
  const last = open[open.length - 1];
  const read = (): void => {
    if (!last) return;
    readUntil.value = last.at;
    localStorage.setItem(KEY, last.at);
  };
  return (
    <div class="messages" role="status" aria-live="polite">
      {open.map((one) => (
        <div key={one.id} class="message">
          <p class="muted small"><MessageSquare size={14} aria-hidden="true" /> {one.sender_name} · {timeOfDay(one.at)}</p>
          <p>{one.text}</p>
        </div>
      ))}
      {last && <Button size="small" icon={Check} onClick={read}>{t("message.read")}</Button>}
    </div>
  );
}
