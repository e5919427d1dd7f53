import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface MenuProps {
  /** What opens it. */
  trigger: (attributes: { popovertarget: string; "aria-expanded": boolean; "aria-haspopup": "true" }) => ComponentChildren;
  label: string;
  children: ComponentChildren;
  side?: "below" | "above" | "right";
}

/** A native popover that opens beside its trigger: Escape and a click elsewhere close it. */
export function Menu({ trigger, label, children, side = "below" }: MenuProps) {
  const id = `menu-${useId()}`;
  const box = useRef<HTMLDivElement>(null);
  const around = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const popover = box.current;
    const toggled = (event: Event): void => {
      const opening = (event as ToggleEvent).newState === "open";
      setOpen(opening);
      if (opening && popover && around.current) place(popover, around.current.getBoundingClientRect(), side);
    };
    popover?.addEventListener("toggle", toggled);
    return () => popover?.removeEventListener("toggle", toggled);
  }, [side]);
  return (
    <div class="menu-around" ref={around}>
      {trigger({ popovertarget: id, "aria-expanded": open, "aria-haspopup": "true" })}
      <div
        ref={box}
        id={id}
        popover="auto"
        class="menu"
        role="group"
        aria-label={label}
        onClick={(event) => {
          if ((event.target as Element).closest("[data-closes]")) box.current?.hidePopover();
        }}
      >
        {open && children}
      </div>
    </div>
  );
}

function place(popover: HTMLElement, anchor: DOMRect, side: NonNullable<MenuProps["side"]>): void {
  requestAnimationFrame(() => {
    const { offsetWidth: width, offsetHeight: height } = popover;
    const left = side === "right" ? anchor.right + 8 : anchor.left;
    const top = side === "below" ? anchor.bottom + 4 : side === "above" ? anchor.top - height - 4 : anchor.bottom - height;
    popover.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    popover.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
  });
}

export function MenuItem({ children, onClick, current }: { children: ComponentChildren; onClick: () => void; current?: boolean }) {
  return (
    <button type="button" class="menu-item" data-closes aria-current={current ? "true" : undefined} onClick={onClick}>
      {children}
    </button>
  );
}
