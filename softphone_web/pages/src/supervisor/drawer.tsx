// The drawer beside the lists. It is not modal: the lists stay alive and the keys keep working; Escape closes it.
import type { ComponentChildren } from "preact";
import { X } from "lucide-preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../kit/button";
import { t } from "./texts";

export function Drawer({ label, id, head, children, onClose }: { label: string; id: string; head: ComponentChildren; children: ComponentChildren; onClose: () => void }) {
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => { // before the next key: who types fast is still in the row that they came from
    const before = document.activeElement;
    box.current?.focus({ preventScroll: true });
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true }); };
  }, [id]);
  return (
    <aside class="drawer" aria-label={label} ref={box} tabIndex={-1}>
      <header class="drawer-head">
        <div>{head}</div>
        <Button kind="quiet" icon={X} keyHint="escape" attributes={{ title: t("close") }} onClick={onClose}><span class="visually-hidden">{t("close")}</span></Button>
      </header>
      <div class="drawer-body">{children}</div>
    </aside>
  );
}
