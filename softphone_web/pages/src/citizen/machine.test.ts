import { describe, expect, it } from "vitest";
import { isCalling, next, type Event, type State } from "./machine";

const CALL: Event[] = ["press", "free", "granted"];
const run = (...events: Event[]): State => events.reduce<State>(next, "idle");

describe("the citizen's call", () => {
  it("goes from the button to a talk and back", () => {
    expect(run("press")).toBe("checking");
    expect(run("press", "free")).toBe("asking");
    expect(run(...CALL, "accepted")).toBe("talking");
    expect(run(...CALL, "accepted", "over")).toBe("ended");
    expect(run(...CALL, "accepted", "press")).toBe("ended");
    expect(run(...CALL, "accepted", "over", "press")).toBe("checking");
  });
  it("says what stands in the way", () => {
    expect(run("press", "free", "refused")).toBe("denied");
    expect(run(...CALL, "rejected")).toBe("unavailable");
    for (const before of [["press"], CALL] as Event[][]) {
      expect(run(...before, "not_offered")).toBe("unoffered");
      expect(run(...before, "no_room")).toBe("busy");
      expect(run(...before, "too_many")).toBe("limited");
      expect(run(...before, "unavailable")).toBe("unavailable");
      expect(run(...before, "broken")).toBe("failed");
    }
  });
  it("is tried again, except where no calls are offered", () => {
    for (const no of ["no_room", "too_many", "unavailable", "broken"] as Event[]) expect(run("press", no, "press")).toBe("checking");
    expect(run("press", "not_offered", "press")).toBe("unoffered");
  });
  it("can be given up at any time, and late answers change nothing", () => {
    expect(run("press", "press")).toBe("idle");
    expect(run("press", "press", "free")).toBe("idle");
    expect(run("press", "free", "press", "granted")).toBe("idle");
    expect(run(...CALL, "press", "accepted")).toBe("ended");
    expect(run("accepted")).toBe("idle");
  });
  it("knows when a line is open", () => {
    expect((["idle", "checking", "asking", "calling", "talking", "ended", "busy"] as State[]).filter(isCalling)).toEqual([
      "checking", "asking", "calling", "talking",
    ]);
  });
});
