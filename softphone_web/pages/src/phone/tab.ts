// One tab has the phone. A new tab asks first; taking it over is a decision of the person, not of the newest tab.

type Said = { what: "anybody?" | "me" | "mine"; tab: string };

const ANSWER_MS = 200;
const tab = crypto.randomUUID();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("rimay.phone");
let having = false;
let heard: (() => void) | null = null;
let onTaken: () => void = () => undefined;

const say = (what: Said["what"]): void => channel?.postMessage({ what, tab } satisfies Said);

channel?.addEventListener("message", (event: MessageEvent<Said>) => {
  const { what, tab: from } = event.data;
  if (from === tab) return;
  if (what === "anybody?" && having) say("me");
  else if (what === "me") heard?.();
  else if (what === "mine" && having) {
    having = false;
    onTaken();
  }
});

/** Does another tab of this browser have the phone? */
export async function hasOther(): Promise<boolean> {
  if (!channel) return false;
  return new Promise((resolve) => {
    const timer = window.setTimeout(() => resolve(false), ANSWER_MS);
    heard = () => {
      window.clearTimeout(timer);
      resolve(true);
    };
    say("anybody?");
  });
}

export function claim(): void {
  having = true;
  say("mine");
}
export const letGo = (): void => void (having = false);
export const whenTaken = (handler: () => void): void => void (onTaken = handler);
