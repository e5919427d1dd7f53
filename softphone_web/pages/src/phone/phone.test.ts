import { describe, expect, it } from "vitest";
import { levelOf } from "./audio";
import { PHONE, phoneStep, UnknownPhoneStep, type PhoneEvent, type PhoneState } from "./machine";
import { judge, rating, readingOf, score, warned, type Reading } from "./quality";

const reading = (change: Partial<Reading> = {}): Reading => ({
  at: 0, received: 0, lost: 0, jitter: 0.004, roundTrip: 0.04, bufferDelay: 0, bufferCount: 0, lostThere: 0, codec: "pcmu", ...change,
});

describe("quality of the line", () => {
  it("rates a perfect line as the E-model does: R 93.2 without delay, 4.41", () => {
    expect(rating(0, 0, "pcmu")).toBeCloseTo(93.2, 5);
    expect(score(93.2)).toBeCloseTo(4.41, 2);
    expect(score(-1)).toBe(1);
    expect(score(120)).toBe(4.5);
  });
  it("takes away for delay, more beyond 177 ms, and for loss by codec", () => {
    expect(rating(100, 0, "pcmu")).toBeCloseTo(90.8, 5);
    expect(rating(277.3, 0, "pcmu")).toBeCloseTo(93.2 - 6.6552 - 11, 3);
    expect(rating(0, 0.05, "pcmu")).toBeCloseTo(93.2 - 95 * (5 / 30.1), 5);
    expect(rating(0, 0.05, "opus")).toBeLessThan(rating(0, 0.05, "pcmu"));
  });
  it("judges what happened between two readings, in the worse direction", () => {
    const before = reading({ at: 10, received: 1000, lost: 10 });
    const good = judge(before, reading({ at: 12, received: 1100, lost: 10 }));
    expect(good).toMatchObject({ loss: 0, roundTripMs: 40, verdict: "good" });
    const bad = judge(before, reading({ at: 12, received: 1080, lost: 30 }));
    expect(bad.loss).toBeCloseTo(0.2);
    expect(bad.verdict).toBe("bad");
    expect(judge(before, reading({ at: 12, received: 1100, lost: 10, lostThere: 0.3 })).verdict).toBe("bad");
  });
  it("counts the jitter buffer as delay", () => {
    const before = reading({ at: 10, received: 1000 });
    const after = reading({ at: 12, received: 1100, bufferDelay: 0.5 * 96000, bufferCount: 96000 });
    expect(judge(before, after).mos).toBeLessThan(3.7);
  });
  it("says nothing of a line on which nothing comes", () => {
    expect(judge(reading({ at: 10 }), reading({ at: 12 }))).toMatchObject({ mos: null, verdict: "unknown", roundTripMs: 40 });
  });
  it("warns after two readings and is quiet after three good ones", () => {
    expect(warned(["good", "bad"], false)).toBe(false);
    expect(warned(["bad", "bad"], false)).toBe(true);
    expect(warned(["fair", "fair"], false)).toBe(false);
    expect(warned(["bad", "unknown", "good", "good"], true)).toBe(true);
    expect(warned(["bad", "good", "good", "good"], true)).toBe(false);
  });
  it("reads a browser's report", () => {
    const found = readingOf([
      { id: "c", type: "codec", mimeType: "audio/PCMU" },
      { type: "inbound-rtp", kind: "audio", timestamp: 5000, packetsReceived: 9, packetsLost: 1, jitter: 0.01, codecId: "c" },
      { type: "remote-inbound-rtp", fractionLost: 0.02, roundTripTime: 0.2 },
      { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.05 },
      { type: "candidate-pair", nominated: false, currentRoundTripTime: 9 },
    ]);
    expect(found).toMatchObject({ at: 5, received: 9, lost: 1, jitter: 0.01, roundTrip: 0.05, lostThere: 0.02, codec: "pcmu" });
  });
  it("shows loudness over the range of speech", () => {
    expect([levelOf(0), levelOf(1), levelOf(1e-6)]).toEqual([0, 1, 0]);
    expect(levelOf(0.05)).toBeGreaterThan(0.4);
  });
});

describe("the open leg", () => {
  const walk = (...events: PhoneEvent[]): [PhoneState, string[]] => {
    let at: PhoneState = "off";
    const done: string[] = [];
    for (const event of events) {
      const next = phoneStep(at, event);
      at = next.to;
      done.push(...next.do);
    }
    return [at, done];
  };
  const UP: PhoneEvent[] = ["start", "mic_ok", "minted", "registered", "leg_up"];
  it("is set up once, at sign-in", () => {
    expect(walk(...UP)).toEqual(["up", ["claim", "ask_mic", "mint", "connect", "call"]]);
  });
  it("is taken down whole and set up again when it is lost", () => {
    const [at, done] = walk(...UP, "lost", "timer", "minted", "registered", "leg_up");
    expect(at).toBe("up");
    expect(done.slice(5)).toEqual(["teardown", "schedule", "mint", "connect", "call"]);
  });
  it("gets new credentials when the old ones are refused", () => {
    expect(walk("start", "mic_ok", "minted", "refused")[1]).toContain("forget");
  });
  it("gets new credentials when the old ones did not even connect: the platform was started anew", () => {
    const [at, done] = walk(...UP, "lost", "timer", "minted", "lost", "timer");
    expect(at).toBe("minting");
    expect(done.slice(5)).toEqual(["teardown", "schedule", "mint", "connect", "teardown", "forget", "schedule", "mint"]);
  });
  it("waits for the network and comes back at once", () => {
    const [at, done] = walk(...UP, "network_lost", "lost", "network_back", "minted");
    expect(at).toBe("connecting");
    expect(done.slice(5)).toEqual(["teardown", "mint", "connect"]);
  });
  it("yields to another tab, and does not fight for it", () => {
    const [at, done] = walk(...UP, "taken", "lost", "timer", "network_back");
    expect(at).toBe("elsewhere");
    expect(done.slice(5)).toEqual(["teardown", "forget"]);
    expect(walk(...UP, "taken", "take")[0]).toBe("asking");
  });
  it("says when the microphone is denied and asks again", () => {
    expect(walk("start", "mic_denied")[0]).toBe("denied");
    expect(walk("start", "mic_denied", "start", "mic_ok")[0]).toBe("minting");
  });
  it("ends with its credentials from every state in which it has any", () => {
    for (const [state, steps] of Object.entries(PHONE)) {
      expect(steps.stop?.to, state).toBe("off");
      if (["connecting", "calling", "up", "waiting", "offline"].includes(state)) expect(steps.stop?.do, state).toContain("release");
    }
  });
  it("takes down what it has before it connects anew", () => {
    for (const state of ["minting", "connecting", "calling", "up"] as const) {
      for (const event of ["lost", "refused", "taken", "network_lost", "stop"] as const) {
        expect(phoneStep(state, event).do, `${state} ${event}`).toContain("teardown");
      }
    }
  });
  it("survives every late word of a leg that is gone", () => {
    for (const state of ["off", "waiting", "offline", "elsewhere", "denied"] as const) {
      for (const event of ["lost", "refused", "registered", "leg_up"] as const) expect(phoneStep(state, event).to).toBe(state);
    }
  });
  it("names a pair it does not know", () => {
    expect(() => phoneStep("up", "mic_ok")).toThrow(UnknownPhoneStep);
  });
});
