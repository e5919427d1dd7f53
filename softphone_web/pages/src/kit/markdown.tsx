// The little Markdown that articles use: headings, lists, paragraphs, strong, emphasis, code, links. It makes elements,
// never HTML from text, so that no article can bring script.
import type { ComponentChild } from "preact";

type Block = { kind: "h"; text: string } | { kind: "p"; text: string } | { kind: "ul"; items: string[] } | { kind: "ol"; items: string[] };

/** Pure: lines to blocks. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const last = blocks[blocks.length - 1];
    const bullet = /^([-*]|\d+[.)])\s+(.*)$/.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (line === "") blocks.push({ kind: "p", text: "" });
    else if (heading) blocks.push({ kind: "h", text: heading[1] ?? "" });
    else if (bullet) {
      const kind = /^\d/.test(line) ? "ol" : "ul";
      if (last?.kind === kind) last.items.push(bullet[2] ?? "");
      else blocks.push({ kind, items: [bullet[2] ?? ""] });
    } else if (last?.kind === "p" && last.text) last.text += ` ${line}`;
    else if ((last?.kind === "ul" || last?.kind === "ol") && /^\s/.test(raw)) last.items.push(`${last.items.pop() ?? ""} ${line}`);
    else blocks.push({ kind: "p", text: line });
  }
  return blocks.filter((one) => !(one.kind === "p" && !one.text));
}

const INLINE = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`|\[(.+?)\]\(((?:https?:\/\/|\/)[^)\s]+)\)/g;

function inline(text: string): ComponentChild[] {
  const parts: ComponentChild[] = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(at, found.index));
    const [, strong, emphasis, code, label, href] = found;
    if (strong) parts.push(<strong>{strong}</strong>);
    else if (emphasis) parts.push(<em>{emphasis}</em>);
    else if (code) parts.push(<code>{code}</code>);
    else parts.push(<a href={href} target="_blank" rel="noreferrer">{label}</a>);
    at = found.index + found[0].length;
  }
  return [...parts, text.slice(at)];
}

export function Markdown({ text }: { text: string }) {
  return (
    <div class="markdown">
      {blocksOf(text).map((block, at) => {
        if (block.kind === "h") return <h3 key={at}>{inline(block.text)}</h3>;
        if (block.kind === "p") return <p key={at}>{inline(block.text)}</p>;
        const items = block.items.map((item, index) => <li key={index}>{inline(item)}</li>);
        return block.kind === "ul" ? <ul key={at}>{items}</ul> : <ol key={at}>{items}</ol>;
      })}
    </div>
  );
}
