/** A rehearsal of a flow in the page, as a conversation. Pure. */

export interface Said { kind: string; text: string }
export interface Waiting { kind: string; options?: { key?: string; digit?: string; title?: string; name?: string }[] | string[] | null }
export interface TryOut { session: string; said: Said[]; waiting: Waiting | null; path: string[]; over: boolean }
export interface Line { by: "platform" | "caller" | "note"; text: string }
export interface Talk { session: string | null; lines: Line[]; waiting: Waiting | null; path: string[]; over: boolean }

export const NO_TALK: Talk = { session: null, lines: [], waiting: null, path: [], over: false };

/** What the server answered, after what the caller did (null at the beginning). */
export function heard(talk: Talk, did: string | null, answer: TryOut): Talk {
  const mine: Line[] = did === null ? [] : [{ by: "caller", text: did }];
  const said: Line[] = answer.said.map((one) => ({ by: one.kind === "note" ? "note" : "platform", text: one.text }));
  return {
    session: answer.session,
    lines: [...talk.lines, ...mine, ...said],
    waiting: answer.waiting,
    path: answer.path,
    over: answer.over,
  };
}

/** What was typed, as the input that the server takes: keys when it is only keys, else words. */
export function inputOf(typed: string): { digits: string } | { text: string } | null {
  const text = typed.trim();
  if (text === "") return null;
  return /^[0-9*#]+$/.test(text) ? { digits: text } : { text };
}
