import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { X } from "lucide-preact";
import { Button } from "./button";
import { t } from "./texts";

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the bottom, the main one last. */
  actions?: ComponentChildren;
  size?: "small" | "normal" | "wide";
  /** Enter in a field submits. */
  onSubmit?: () => void;
}

/** A modal dialog while it is mounted; focus returns to where it was. Escape and the backdrop close it. */
export function Dialog(props: DialogProps) {
  return <Frame {...props} kind="dialog" />;
}

/** The same, as a sheet from the side: for editing beside a list. */
export function Sheet(props: DialogProps) {
  return <Frame {...props} kind="sheet" />;
}

function Frame({ title, onClose, children, actions, size = "normal", onSubmit, kind }: DialogProps & { kind: "dialog" | "sheet" }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key: who types right after opening it must not lose a letter.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = ref.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`${kind} ${size}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <form
        class="dialog-frame"
        method="dialog"
        noValidate // a mistake is told beside its field, in the language of the page, not by the browser in its own
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" icon={X} label={t("close")} onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer class="dialog-actions">{actions}</footer>}
      </form>
    </dialog>
  );
}
