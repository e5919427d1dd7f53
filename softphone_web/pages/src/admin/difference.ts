/** Two texts as one unified view: lines that stay, go and come, with their numbers; long quiet stretches folded. Pure. */
import { diffLines } from "diff";

export interface DiffLine {
  sign: " " | "-" | "+";
  before: number | null;
  after: number | null;
  text: string;
}
export type Piece = { lines: DiffLine[] } | { skipped: number };

export function difference(before: string, after: string, context = 3): Piece[] {
  const lines = allLines(before, after);
  const near = lines.map(() => false);
  lines.forEach((line, at) => {
    if (line.sign !== " ") near.fill(true, Math.max(0, at - context), at + context + 1);
  });
  const pieces: Piece[] = [];
  let at = 0;
  while (at < lines.length) {
    const shown = near[at];
    let end = at;
    while (end < lines.length && near[end] === shown) end++;
    pieces.push(shown ? { lines: lines.slice(at, end) } : { skipped: end - at });
    at = end;
  }
  return pieces.some((piece) => "lines" in piece) ? pieces : [];
}

function allLines(before: string, after: string): DiffLine[] {
  let [b, a] = [0, 0];
  return diffLines(ended(before), ended(after)).flatMap((part) =>
    part.value.replace(/\n$/, "").split("\n").map((text): DiffLine => {
      if (part.added) return { sign: "+", before: null, after: ++a, text };
      if (part.removed) return { sign: "-", before: ++b, after: null, text };
      return { sign: " ", before: ++b, after: ++a, text };
    }),
  );
}

const ended = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

export const counts = (pieces: readonly Piece[]): { added: number; removed: number } => {
  const lines = pieces.flatMap((piece) => ("lines" in piece ? piece.lines : []));
  return {
    added: lines.filter((line) => line.sign === "+").length,
    removed: lines.filter((line) => line.sign === "-").length,
  };
};
