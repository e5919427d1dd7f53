// Messages of supervisors: each stays until it was read.
import { signal } from "@preact/signals";
import { Check, MessageSquare } from "lucide-preact";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { timeOfDay } from "../kit/format";
import { notify } from "../kit/notify";
import type { Message } from "../kit/types";
import { t } from "./texts";

const KEY = "rimay.messages.read";
let loaded = false;
const messages = signal<readonly Message[]>([]);
const readUntil = signal(typeof localStorage === "undefined" ? "" : (localStorage.getItem(KEY) ?? ""));

/** What is still to be read, oldest first. Pure. */
export const unread = (all: readonly Message[], until: string): Message[] => all.filter((one) => !one.mine && Date.parse(one.at) > (Date.parse(until) || 0));

/** The day's messages: at the start, and after a loss of the live socket, when one may have come meanwhile. */
export async function loadMessages(): Promise<void> {
  const { items } = await api.get<{ items: Message[] }>("/messages");
  const known = new Set(messages.value.map((one) => one.id));
  messages.value = [...items, ...messages.value.filter((one) => !items.some((kept) => kept.id === one.id))];
  // Those of before this page was opened are on it, and that is enough.
  if (loaded) unread(items, readUntil.value).filter((one) => !known.has(one.id)).forEach(callAttention);
  loaded = true;
}

export function hear(message: Message): void {
  if (messages.value.some((one) => one.id === message.id)) return;
  messages.value = [...messages.value, message];
  if (!message.mine) callAttention(message);
}

const callAttention = (message: Message): void => void notify({ title: t("message.from", { name: message.sender_name }), body: message.text, tag: `rimay-message-${message.id}` });

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
