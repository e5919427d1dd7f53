import { describe, expect, it } from "vitest";
import { isCalling, next, type Event, type State } from "./machine";

const run = (...events: Event[]): State => events.reduce<State>(next, "idle");

describe("the citizen's call", () => {
  it("goes from the button to a talk and back", () => {
    expect(run("press", "granted", "accepted")).toBe("talking");
    expect(run("press", "granted", "accepted", "over")).toBe("ended");
    expect(run("press", "granted", "accepted", "press")).toBe("ended");
    expect(run("press", "granted", "accepted", "over", "press")).toBe("asking");
  });
  it("says what stands in the way", () => {
    expect(run("press", "refused")).toBe("denied");
    expect(run("press", "granted", "no_room")).toBe("busy");
    expect(run("press", "granted", "broken")).toBe("failed");
  });
  it("can be given up at any time, and late answers change nothing", () => {
    expect(run("press", "press")).toBe("idle");
    expect(run("press", "press", "granted")).toBe("idle");
    expect(run("press", "granted", "press", "accepted")).toBe("ended");
    expect(run("accepted")).toBe("idle");
  });
  it("knows when a line is open", () => {
    expect((["idle", "asking", "calling", "talking", "ended", "busy"] as State[]).filter(isCalling)).toEqual([
      "asking", "calling", "talking",
    ]);
  });
});
