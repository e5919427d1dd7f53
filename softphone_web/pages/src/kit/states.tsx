import type { ComponentChildren } from "preact";
import type { LucideIcon } from "lucide-preact";
import { CircleAlert, RotateCw } from "lucide-preact";
import { Button } from "./button";
import { sentence } from "./problem";
import { t } from "./texts";

/** Nothing is there, and what one can do about it. */
export function EmptyState({ icon: Icon, title, children }: { icon?: LucideIcon; title: string; children?: ComponentChildren }) {
  return (
    <div class="state-box">
      {Icon && <Icon size={28} aria-hidden="true" class="state-icon" />}
      <p class="state-title">{title}</p>
      {children && <div class="state-text">{children}</div>}
    </div>
  );
}

export function ErrorState({ error, onRetry, title }: { error: unknown; onRetry?: () => void; title?: string }) {
  return (
    <div class="state-box" role="alert">
      <CircleAlert size={28} aria-hidden="true" class="state-icon bad" />
      <p class="state-title">{title ?? t("error.title")}</p>
      <p class="state-text">{sentence(error)}</p>
      {onRetry && <Button icon={RotateCw} onClick={onRetry}>{t("retry")}</Button>}
    </div>
  );
}

/** Grey lines in the size of what will come, so that nothing jumps. */
export function Skeleton({ lines = 3, height = 16 }: { lines?: number; height?: number }) {
  return (
    <div class="skeletons" role="status">
      <span class="visually-hidden">{t("loading")}</span>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} class="skeleton" style={{ height: `${height}px`, width: `${at % 3 === 2 ? 60 : 100 - (at % 2) * 12}%` }} />
      ))}
    </div>
  );
}

/** A line across the page or a panel that says something about all of it. */
export function Banner({ tone, icon: Icon, children, action }: { tone: "info" | "warn" | "bad"; icon?: LucideIcon; children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class={`banner ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {Icon && <Icon size={18} aria-hidden="true" />}
      <div class="banner-text">{children}</div>
      {action}
    </div>
  );
}
