import { describe, expect, it } from "vitest";
import { timeline } from "./timeline";

const line = (type: string, data: Record<string, unknown>): string =>
  timeline([{ n: 1, at: "2026-11-25T10:00:00Z", type, data }], (id) => id)[0]?.text ?? "";

describe("what happened to an interaction", () => {
  // The ways out of a queue that `callcontrol/events.py` names for the fact.
  it.each(["answered", "abandoned", "timeout", "no_agents", "unknown_queue", "closed", "full", "length", "expected_wait", "moved:full", "raised", "ended"])(
    "says in words how the queue was left: %s",
    (how) => {
      const said = line("dequeued", { queue: "agua", how, waited_s: 12 });
      expect(said).not.toContain(how);
      expect(said).not.toBe("Salió de la cola tras 12 s");
    },
  );
  it("says of a way that it does not know that the queue was left", () => {
    expect(line("dequeued", { queue: "agua", how: "of_tomorrow", waited_s: 12 })).toBe("Salió de la cola tras 12 s");
  });
  it("says what an agent asked a supervisor for", () => {
    expect(line("supervisor_asked", { by: "Eva", text: "Quiere hablar con usted" })).toBe("Eva pide apoyo: «Quiere hablar con usted»");
    expect(line("supervisor_asked", { by: "Eva", text: "" })).toBe("Eva pide apoyo");
  });
  it("says in words how a supervisor is there", () => {
    for (const mode of ["listen", "whisper", "barge"]) {
      expect(line("supervision_started", { mode })).toMatch(/^Supervisión (escucha|susurra|interviene)/);
      expect(line("supervision_changed", { mode })).toBe(line("supervision_started", { mode }));
    }
  });
});
