import { signal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Search } from "lucide-preact";
import { allActions, lettersOn, setLetters, type Action } from "./actions";
import { KeyHint } from "./button";
import { Dialog } from "./dialog";
import { Check } from "./field";
import { fold, groupBy } from "./format";
import { t } from "./texts";
import { useSettled } from "./use";

export const paletteOpen = signal(false);
export const keysOpen = signal(false);

/** Pages add what else can be found (people, queues, articles): given the typed text, actions. */
export type Finder = (text: string) => Promise<Action[]>;
const finders = new Set<Finder>();
export function addFinder(finder: Finder): () => void {
  finders.add(finder);
  return () => void finders.delete(finder);
}

/** All words are in the title, in any order. Pure. */
export function matches(text: string, title: string): boolean {
  const folded = fold(title);
  return fold(text).split(/\s+/).every((word) => folded.includes(word));
}

export function CommandPalette() {
  return paletteOpen.value ? <Palette /> : null;
}

function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [found, setFound] = useState<Action[]>([]);
  const settled = useSettled(text);
  const box = useRef<HTMLDialogElement>(null);
  const list = useId();
  // Before the next key: who types right after opening it must not lose a letter.
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  useEffect(() => {
    let late = false;
    if (!settled.trim()) setFound([]);
    else void Promise.allSettled([...finders].map((one) => one(settled))).then((answers) => {
      if (!late) setFound(answers.flatMap((one) => (one.status === "fulfilled" ? one.value : [])));
    });
    return () => void (late = true);
  }, [settled]);
  const close = (): void => void (paletteOpen.value = false);
  const shown = [...allActions().filter((one) => !one.hidden && matches(text, one.title)), ...found].slice(0, 50);
  const choose = (action: Action | undefined): void => {
    if (!action) return;
    close();
    action.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setAt(Math.min(shown.length - 1, at + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter") choose(shown[at]);
    else return;
    event.preventDefault();
  };
  useEffect(() => { box.current?.querySelector(`#${CSS.escape(`${list}-${at}`)}`)?.scrollIntoView({ block: "nearest" }); }, [at, list]);
  return (
    <dialog ref={box} class="palette" aria-label={t("palette.title")} onCancel={(event) => { event.preventDefault(); close(); }} onMouseDown={(event) => { if (event.target === box.current) close(); }}>
      <div class="palette-frame">
        <div class="palette-search">
          <Search size={18} aria-hidden="true" />
          <input
            role="combobox" aria-expanded="true" aria-controls={list} aria-autocomplete="list" aria-label={t("palette.title")}
            aria-activedescendant={shown.length ? `${list}-${at}` : undefined} placeholder={t("palette.title")} value={text}
            onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} onKeyDown={onKey}
          />
        </div>
        <ul id={list} role="listbox" aria-label={t("palette.title")} class="palette-list">
          {shown.map((one, index) => (
            <li key={one.id} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => choose(one)}>
              <span>{one.title}</span>
              {one.group && <span class="muted small">{one.group}</span>}
              {one.key && <KeyHint name={one.key} />}
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p class="palette-none">{t("palette.none", { q: text })}</p>}
        <p class="palette-hint">{t("palette.hint")}</p>
      </div>
    </dialog>
  );
}

export function KeysHelp() {
  const [letters, setOn] = useState(lettersOn);
  if (!keysOpen.value) return null;
  const close = (): void => void (keysOpen.value = false);
  const groups = groupBy(allActions().filter((one) => one.key), (one) => one.group ?? t("keys.general"));
  return (
    <Dialog title={t("keys.title")} onClose={close}>
      <div class="keys-groups">
        {[...groups].map(([group, actions]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl class="keys-list">
              {actions.map((one) => (
                <div key={one.id}><dt>{one.title}</dt><dd><KeyHint name={one.key ?? ""} /></dd></div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Check label={t("keys.letters")} hint={t("keys.lettersHint")} checked={letters} onChange={(on) => { setLetters(on); setOn(on); }} />
    </Dialog>
  );
}
