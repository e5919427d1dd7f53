// CodeMirror for YAML, loaded only where it is used. It stands in a shadow root: there its styles are sheets of the DOM, which our
// content security policy allows, and not elements with text in them, which it refuses.
import { yaml } from "@codemirror/lang-yaml";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, RangeSet, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, EditorView, keymap, WidgetType, type DecorationSet } from "@codemirror/view";
import { indentWithTab } from "@codemirror/commands";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

export interface Mark {
  line: number;
  column: number;
  severity: "error" | "warning" | "info";
  message: string;
  hint?: string | null;
}

export interface Editor {
  setMarks: (marks: readonly Mark[]) => void;
  goTo: (line: number) => void;
  destroy: () => void;
}

export interface EditorOptions {
  host: HTMLElement;
  text: string;
  label: string;
  readOnly: boolean;
  onChange: (text: string) => void;
  /** The line (from 1) in which the cursor stands. */
  onLine?: (line: number) => void;
}

/** The message under its line: seen without pointing at anything, and read in its place by a screen reader. */
class Under extends WidgetType {
  constructor(readonly mark: Mark) {
    super();
  }
  override eq(other: Under): boolean {
    return other.mark.message === this.mark.message && other.mark.severity === this.mark.severity;
  }
  override toDOM(): HTMLElement {
    const box = document.createElement("div");
    box.className = `cm-under ${this.mark.severity}`;
    box.style.paddingLeft = `${Math.max(0, this.mark.column - 1)}ch`;
    box.textContent = `${this.mark.severity === "error" ? "◆" : "▲"} ${this.mark.message}${this.mark.hint ? ` (${this.mark.hint})` : ""}`;
    return box;
  }
}

const showUnder = StateEffect.define<readonly Mark[]>();
const under = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(now, change) {
    for (const effect of change.effects) if (effect.is(showUnder)) return decorations(change.state.doc, effect.value);
    return now.map(change.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const lineOf = (doc: Text, line: number) => doc.line(Math.max(1, Math.min(doc.lines, line)));

function decorations(doc: Text, marks: readonly Mark[]): DecorationSet {
  return RangeSet.of(
    marks.map((mark) => Decoration.widget({ widget: new Under(mark), side: 1, block: true }).range(lineOf(doc, mark.line).to)),
    true,
  );
}

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--primary)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", border: "none", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--primary) 8%, transparent)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground, ::selection": { backgroundColor: "color-mix(in srgb, var(--primary) 25%, transparent) !important" },
  ".cm-under": { fontFamily: "var(--font)", fontSize: "12px", fontWeight: "600", padding: "2px 8px 3px 0", whiteSpace: "pre-wrap", position: "sticky", left: "44px", boxSizing: "border-box", maxWidth: "calc(100cqi - 60px)" },
  ".cm-under.error": { color: "var(--danger)", backgroundColor: "var(--danger-soft)" },
  ".cm-under.warning, .cm-under.info": { color: "var(--warning)", backgroundColor: "var(--warning-soft)" },
  // Its own waves are pictures in data: addresses, which our content security policy refuses.
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy var(--warning-mark)", textUnderlineOffset: "3px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecorationColor: "var(--danger)" },
  ".cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint, .cm-lintRange-active": { backgroundImage: "none" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", border: "1px solid var(--line)", color: "var(--muted)" },
  ".cm-matchingBracket": { backgroundColor: "var(--primary-soft) !important", outline: "1px solid var(--primary)" },
});

const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--primary)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--success)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--warning)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.meta, tags.squareBracket, tags.brace], color: "var(--muted)" },
]);

export function openEditor({ host, text, label, readOnly, onChange, onLine }: EditorOptions): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const box = document.createElement("div");
  box.style.height = "100%";
  box.style.containerType = "inline-size"; // what is said under a line is as wide as what is seen, not as the longest line
  root.replaceChildren(box);
  let last = 0;
  const view = new EditorView({
    root,
    parent: box,
    state: EditorState.create({
      doc: text,
      extensions: [
        basicSetup, keymap.of([indentWithTab]), yaml(), under, theme, syntaxHighlighting(highlight),
        EditorState.readOnly.of(readOnly), EditorState.tabSize.of(2), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
          const line = update.state.doc.lineAt(update.state.selection.main.head).number;
          if (line !== last) onLine?.((last = line));
        }),
      ],
    }),
  });
  return {
    setMarks(marks) {
      const { doc } = view.state;
      const diagnostics = marks.map((mark) => {
        const line = lineOf(doc, mark.line);
        const from = Math.min(line.to, line.from + Math.max(0, mark.column - 1));
        const word = /^\S+/.exec(doc.sliceString(from, line.to))?.[0].length ?? 0;
        return { from, to: Math.min(line.to, from + Math.max(1, word)), severity: mark.severity, message: mark.message };
      });
      view.dispatch(setDiagnostics(view.state, diagnostics), { effects: showUnder.of(marks) });
    },
    goTo(line) {
      const place = lineOf(view.state.doc, line);
      view.dispatch({ selection: { anchor: place.from }, effects: EditorView.scrollIntoView(place.from, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
