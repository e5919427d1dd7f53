import type { ComponentChildren } from "preact";
import { initials } from "./format";

/** What a thing's state means for people: each tone has a shape of its own, so that colour is never alone. */
export type Tone = "good" | "busy" | "warn" | "bad" | "idle" | "off";

export function Badge({ tone, children, quiet }: { tone: Tone; children: ComponentChildren; quiet?: boolean }) {
  return (
    <span class={`badge ${tone}${quiet ? " quiet" : ""}`}>
      <Mark tone={tone} />
      {children}
    </span>
  );
}

export const Mark = ({ tone }: { tone: Tone }) => <span class={`mark ${tone}`} aria-hidden="true" />;

/** The tones of agents' states; one table for all pages. */
export const AGENT_TONE: Record<string, Tone> = {
  ready: "good",
  reserved: "busy",
  interacting: "busy",
  wrap_up: "warn",
  not_ready: "idle",
  signed_out: "off",
};

export function Avatar({ name, tone, size = 32 }: { name: string; tone?: Tone; size?: number }) {
  return (
    <span class="avatar" style={{ width: `${size}px`, height: `${size}px`, fontSize: `${Math.round(size * 0.38)}px` }} aria-hidden="true" data-initials={initials(name)}>
      {tone && <Mark tone={tone} />}
    </span>
  );
}
