import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import type { LucideIcon } from "lucide-preact";
import { shownKey } from "./actions";

export type ButtonKind = "plain" | "primary" | "success" | "danger" | "quiet";

export interface ButtonProps {
  children?: ComponentChildren;
  kind?: ButtonKind;
  icon?: LucideIcon;
  /** The accessible name when there is only an icon; also the tooltip. */
  label?: string;
  keyHint?: string;
  size?: "small" | "normal" | "large";
  busy?: boolean;
  disabled?: boolean;
  /** For toggles: on or off. */
  pressed?: boolean;
  stacked?: boolean;
  onClick?: (event: MouseEvent) => void;
  type?: "button" | "submit";
  attributes?: ButtonHTMLAttributes;
}

/** `<Button kind="primary" icon={Phone} keyHint="a" onClick={accept}>Contestar</Button>` */
export function Button(props: ButtonProps) {
  const { children, kind = "plain", icon: Icon, label, keyHint, size = "normal", busy = false, pressed, stacked } = props;
  return (
    <button
      type={props.type ?? "button"}
      class={`button ${kind} ${size}${children ? "" : " only-icon"}${stacked ? " stacked" : ""}`}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      aria-busy={busy || undefined}
      aria-keyshortcuts={keyHint?.replace("ctrl+", "Control+")}
      disabled={(props.disabled ?? false) || busy}
      onClick={props.onClick}
      {...props.attributes}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : Icon && <Icon size={size === "large" ? 20 : 18} aria-hidden="true" />}
      {children && <span class="button-text">{children}</span>}
      {keyHint && <KeyHint name={keyHint} />}
    </button>
  );
}

export function KeyHint({ name }: { name: string }) {
  return (
    <kbd class="key" aria-hidden="true">
      {shownKey(name)}
    </kbd>
  );
}
