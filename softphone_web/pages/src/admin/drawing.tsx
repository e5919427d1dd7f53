// The flow's picture. The server draws it; here it is built anew from what we know of SVG, element by element: nothing in it can run,
// nothing needs a style of its own, and it follows the page's theme. A click on a node goes to its line.
import { h, type ComponentChild } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../kit/button";
import { EmptyState } from "../kit/states";
import { t } from "./texts";

export interface NodeRef { name: string; kind: string; line: number }

const ELEMENTS = new Set(["g", "rect", "path", "text", "title", "defs", "marker", "tspan", "line", "circle", "polygon"]);
const ATTRIBUTES = new Set(["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "d", "points", "viewBox", "refX", "refY", "markerWidth", "markerHeight", "orient", "id", "marker-end", "text-anchor", "transform"]);
const CLASSES = new Set(["k", "l", "back"]);
/** What the drawing means by its fills. */
const FILLS: Record<string, string> = { "#d9efe2": "is-end", "#fdf0d0": "is-ask", "#e4e2f4": "is-system", "#eef3f8": "is-other" };

function parsed(svg: string): SVGSVGElement | null {
  // Its own styles are not taken over, and our content security policy refuses them even in a document that is only parsed.
  const bare = svg.replace(/<style>[^<]*<\/style>/g, "").replace(/ style="[^"]*"/g, "");
  const root = new DOMParser().parseFromString(bare, "image/svg+xml").documentElement;
  return root.localName === "svg" ? (root as unknown as SVGSVGElement) : null;
}

function copied(element: Element, extra: (element: Element) => Record<string, unknown>): ComponentChild {
  if (!ELEMENTS.has(element.localName)) return null;
  const attributes: Record<string, unknown> = {};
  for (const { name, value } of element.attributes) if (ATTRIBUTES.has(name)) attributes[name] = value;
  const classes = [...element.classList].filter((one) => CLASSES.has(one));
  const meaning = FILLS[element.getAttribute("fill") ?? ""];
  if (meaning) classes.push(meaning);
  if (classes.length) attributes["class"] = classes.join(" ");
  const children = element.childElementCount ? [...element.children].map((child) => copied(child, extra)) : element.textContent;
  return h(element.localName, { ...attributes, ...extra(element) }, children);
}

/** The node whose box this is: its name may be cut in the picture. */
export function nodeOf(shown: string, nodes: readonly NodeRef[]): NodeRef | undefined {
  const beginning = shown.endsWith("…") ? shown.slice(0, -1) : null;
  return nodes.find((one) => (beginning === null ? one.name === shown : one.name.startsWith(beginning)));
}

/** Brings the node at hand into sight, at the beginning the first one; the page around does not move. */
function show(box: HTMLElement | null, current: string | null): void {
  const node = box?.querySelector(current === null ? ".node" : ".node.at");
  if (!box || !node) return;
  const [seen, at] = [box.getBoundingClientRect(), node.getBoundingClientRect()];
  if (at.left < seen.left || at.right > seen.right) box.scrollLeft += at.left + at.width / 2 - seen.left - seen.width / 2;
  if (at.top < seen.top || at.bottom > seen.bottom) box.scrollTop += at.top + at.height / 2 - seen.top - seen.height / 2;
}

/** Smaller than this its words are too small to be read. */
const LEAST = 0.7;

interface Props {
  svg: string | null;
  nodes: readonly NodeRef[];
  /** The node in whose lines the cursor stands. */
  current: string | null;
  goTo: (line: number) => void;
}

export function Drawing({ svg, nodes, current, goTo }: Props) {
  const [chosen, setFit] = useState<boolean | null>(null);
  const [fits, setFits] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const root = useMemo(() => (svg ? parsed(svg) : null), [svg]);
  const fit = chosen ?? fits;
  // Until somebody chooses: as a whole, where it need not shrink much for that.
  useLayoutEffect(() => {
    const seen = box.current;
    if (!seen || !root) return;
    const needed = Number(root.getAttribute("width"));
    const look = (): void => setFits(seen.clientWidth < needed && seen.clientWidth > needed * LEAST);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(seen);
    return () => observer.disconnect();
  }, [root]);
  useEffect(() => show(box.current, current), [current, root, fit]);
  if (!root) return <EmptyState title={t("flow.noPicture")} />;
  const [width, height] = [Number(root.getAttribute("width")), Number(root.getAttribute("height"))];
  const extra = (element: Element): Record<string, unknown> => {
    if (element.localName !== "g") return {};
    const node = nodeOf(element.querySelector("text")?.textContent ?? "", nodes);
    if (!node) return {};
    return {
      tabIndex: 0, role: "button", class: node.name === current ? "node at" : "node", "aria-label": t("flow.node", { name: node.name, line: node.line }),
      onClick: () => goTo(node.line),
      onKeyDown: (event: KeyboardEvent) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); goTo(node.line); } },
    };
  };
  return (
    <div class="drawing">
      <div class="drawing-tools"><Button size="small" kind="quiet" onClick={() => setFit(!fit)}>{t(fit ? "flow.real" : "flow.fit")}</Button></div>
      <div class="drawing-scroll" ref={box} tabIndex={0} role="region" aria-label={t("flow.picture")}>
        <svg viewBox={`0 0 ${width} ${height}`} {...(fit ? { class: "fit" } : { width, height })} role="group" aria-label={t("flow.picture")}>
          {[...root.children].filter((child) => child.localName !== "title").map((child) => copied(child, extra))}
        </svg>
      </div>
    </div>
  );
}
