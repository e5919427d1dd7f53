import { useEffect, useRef } from "preact/hooks";
import { Skeleton } from "../kit/states";
import { tellError } from "../kit/toast";
import type { Editor, Mark } from "./editor";

export interface YamlEditorProps {
  /** The text to begin with. From then on the editor has the truth: to put another one in, give the component another key. */
  text: string;
  label: string;
  readOnly: boolean;
  marks: readonly Mark[];
  onChange: (text: string) => void;
  onLine?: (line: number) => void;
  /** Where to go: a new object goes there again. */
  goTo?: { line: number } | null;
}

/** The editor, when it has been loaded; until then grey lines in its place. */
export function YamlEditor({ text, label, readOnly, marks, onChange, onLine, goTo }: YamlEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const latest = useRef({ onChange, onLine, marks });
  latest.current = { onChange, onLine, marks };
  useEffect(() => {
    let gone = false;
    void import("./editor").then(({ openEditor }) => {
      if (gone || !host.current) return;
      host.current.nextElementSibling?.remove();
      editor.current = openEditor({
        host: host.current, text, label, readOnly,
        onChange: (next) => latest.current.onChange(next),
        onLine: (line) => latest.current.onLine?.(line),
      });
      editor.current.setMarks(latest.current.marks);
    }, tellError);
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, [readOnly]);
  useEffect(() => editor.current?.setMarks(marks), [marks]);
  useEffect(() => { if (goTo) editor.current?.goTo(goTo.line); }, [goTo]);
  return (
    <div class="yaml-editor">
      <div class="yaml-host" ref={host} />
      <div class="yaml-waiting"><Skeleton lines={12} /></div>
    </div>
  );
}
