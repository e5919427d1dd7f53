// Every action of a page has a name, and most have a key. The command palette and the help list what is registered.
import { useEffect } from "preact/hooks";

export interface Action {
  id: string;
  title: string;
  /** As `comboOf` names it: "a", "enter", "ctrl+k", "?". */
  key?: string;
  group?: string;
  run: () => void;
  disabled?: boolean;
  /** Works while typing, too (for combinations with Ctrl). */
  inFields?: boolean;
  /** Not in the palette. */
  hidden?: boolean;
}

const sets = new Map<symbol, readonly Action[]>();
const KEY = "rimay.letters";

/** Keys of one letter may be switched off: they get in the way of speech input. */
export const lettersOn = (): boolean => localStorage.getItem(KEY) !== "off";
export const setLetters = (on: boolean): void => localStorage.setItem(KEY, on ? "on" : "off");

export const allActions = (): Action[] => [...sets.values()].flat().filter((one) => !one.disabled);

export function useActions(actions: readonly Action[]): void {
  useEffect(() => {
    const key = Symbol();
    sets.set(key, actions);
    return () => void sets.delete(key);
  });
}

interface KeyLike {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** The name of a key press: "ctrl+k", "enter", "?". Shift is in the character already. */
export const comboOf = (event: KeyLike): string =>
  `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${event.key.toLowerCase()}`;

export interface Where {
  typing: boolean;
  /** Focus is on something that Enter and Space press. */
  onControl: boolean;
  modal: boolean;
  letters: boolean;
}

/** What a key press means here; the last registered action wins. Pure. */
export function actionFor(combo: string, actions: readonly Action[], where: Where): Action | undefined {
  const plain = !combo.startsWith("ctrl+") && !combo.startsWith("alt+");
  if (where.modal) return undefined;
  if (plain && where.onControl && (combo === "enter" || combo === " ")) return undefined;
  if (plain && combo.length === 1 && !where.letters) return undefined;
  return actions.findLast((one) => one.key === combo && !one.disabled && (!where.typing || (one.inFields ?? !plain)));
}

const TYPING = "input:not([type=checkbox],[type=radio],[type=button],[type=range]), textarea, select, [contenteditable=true]";

function whereIs(target: EventTarget | null): Where {
  const element = target instanceof Element ? target : null;
  return {
    typing: element?.closest(TYPING) != null,
    onControl: element?.closest("button, a, summary, [role=tab], [role=option], [role=menuitem]") != null,
    modal: document.querySelector("dialog:modal") !== null,
    letters: lettersOn(),
  };
}

export function startKeys(): void {
  window.addEventListener("keydown", (event) => {
    if (event.repeat || event.isComposing || event.defaultPrevented) return;
    const action = actionFor(comboOf(event), [...sets.values()].flat(), whereIs(event.target));
    if (!action) return;
    event.preventDefault();
    action.run();
  });
}

const SHOWN: Record<string, string> = { enter: "↵", " ": "␣", escape: "Esc", arrowup: "↑", arrowdown: "↓" };

/** "ctrl+k" -> "Ctrl K". */
export const shownKey = (key: string): string =>
  key
    .split(/(?<=.)\+(?=.)/)
    .map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : (part[0] ?? "").toUpperCase() + part.slice(1)))
    .join(" ");
