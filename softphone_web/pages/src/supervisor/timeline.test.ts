import { afterEach, describe, expect, it } from "vitest";
import { language } from "../kit/i18n";
import { timeline } from "./timeline";

const NAMES: Record<string, string> = { eva: "Eva Tello", luis: "Luis Peña", agua: "Agua potable" };
const line = (type: string, data: Record<string, unknown>): string =>
  timeline([{ n: 1, at: "2026-11-25T10:00:00Z", type, data }], (id) => NAMES[id] ?? id)[0]?.text ?? "";

afterEach(() => {
  language.value = "es";
});

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
  // The facts of `callcontrol/events.py`, as `softphone_web/facts.py` tells them.
  it.each<[string, Record<string, unknown>, string, string]>([
    ["transferred", { by: "eva", kind: "queue", to: "agua" }, "Eva Tello la transfirió a Agua potable", "Eva Tello transferred it to Agua potable"],
    ["transferred", { by: "eva", kind: "agent", to: "luis" }, "Eva Tello la transfirió a Luis Peña", "Eva Tello transferred it to Luis Peña"],
    ["consult_begun", { by: "eva", kind: "agent", to: "luis", participant: "p3" }, "Eva Tello consulta a Luis Peña; la persona escucha música", "Eva Tello consults Luis Peña; the caller hears music"],
    ["consult_begun", { by: "eva", kind: "number", to: "+593991234567", participant: "p3" }, "Eva Tello consulta a 099 123 4567; la persona escucha música", "Eva Tello consults 099 123 4567; the caller hears music"],
    ["consult_begun", { by: "eva", kind: "number", participant: "p3" }, "Eva Tello hace una consulta; la persona escucha música", "Eva Tello consults somebody; the caller hears music"],
    ["consult_answered", { participant: "p3" }, "Contestaron la consulta", "The consultation was answered"],
    ["consult_swapped", { with_customer: true }, "El agente volvió con la persona; la consulta espera con música", "The agent is back with the caller; the consultation waits with music"],
    ["consult_swapped", { with_customer: false }, "El agente volvió a la consulta; la persona escucha música", "The agent is back in the consultation; the caller hears music"],
    ["conference_begun", { by: "eva" }, "Conferencia: se oyen los tres", "Conference: all three hear one another"],
    ["digits_sent", { by: "eva", digits: "4321" }, "Eva Tello envió tonos", "Eva Tello sent tones"],
  ])("tells what an agent did with others: %s %o", (type, data, spanish, english) => {
    expect(line(type, data)).toBe(spanish);
    language.value = "en";
    expect(line(type, data)).toBe(english);
  });
  it("says in words how a consultation ended, each way in its own", () => {
    const ways = ["completed", "cancelled", "failed", "refused", "left", "lost"];
    for (const one of ["es", "en"] as const) {
      language.value = one;
      const said = [...ways, "of_tomorrow"].map((how) => line("consult_ended", { participant: "p3", how, detail: "" }));
      expect(new Set(said).size).toBe(said.length);
      expect(said.every(Boolean)).toBe(true);
    }
  });
});
