// A rehearsal of a flow in the page, as a conversation. Pure.

export interface Said { kind: string; text: string }
export interface Choice { field: string; value: string; title: string }
export interface Waiting { kind: string; detail: string; options: readonly Choice[] }
export interface TryOut { session: string; said: readonly Said[]; waiting: Waiting; path: readonly string[]; node: string; over: boolean }
export interface Line { by: "platform" | "caller" | "fault"; text: string }
export interface Talk { session: string | null; lines: readonly Line[]; waiting: Waiting | null; path: readonly string[]; node: string | null; over: boolean }

export const NO_TALK: Talk = { session: null, lines: [], waiting: null, path: [], node: null, over: false };

/** What the server answered, after what the caller did (null at the beginning). */
export function heard(talk: Talk, did: string | null, answer: TryOut): Talk {
  const mine: Line[] = did === null ? [] : [{ by: "caller", text: did }];
  return {
    session: answer.session,
    lines: [...talk.lines, ...mine, ...answer.said.map((one): Line => ({ by: one.kind === "fault" ? "fault" : "platform", text: one.text }))],
    waiting: answer.waiting,
    path: answer.path,
    node: answer.node,
    over: answer.over,
  };
}

export type Input = Record<string, unknown>;

/** What was typed, as the input that the server takes: keys when it is only keys, else words. */
export function inputOf(typed: string): Input | null {
  const text = typed.trim();
  if (text === "") return null;
  return /^[0-9*#]+$/.test(text) ? { digits: text } : { text };
}

/** An option that the server offers, as its input: `answer.queue` and `left` become {answer: {queue: "left"}}. Values that are JSON are taken as such. */
export function inputOfChoice({ field, value }: Choice): Input {
  const [first = "", ...rest] = field.split(".");
  return { [first]: rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), rest.length ? valueOf(value) : plain(first, value)) };
}

const plain = (field: string, value: string): unknown => (field === "silence" || field === "hangup" ? true : field === "answer" ? valueOf(value) : value);

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Whether a call to this text may come to a bot: one of its own, or of a flow that it enters. */
export const mayMeetBot = (yaml: string): boolean => /\bkind:\s*["']?bot\b|\bflow:/.test(yaml);
