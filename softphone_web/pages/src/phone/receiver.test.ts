import { describe, expect, it } from "vitest";
import { listeningOnly, renewReceiver } from "./receiver";

const ANSWER = [
  "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "a=group:BUNDLE 0",
  "m=audio 10000 UDP/TLS/RTP/SAVPF 0 101", "a=ice-ufrag:abc", "a=setup:active", "a=rtpmap:0 PCMU/8000",
  "a=ssrc:77 cname:x", "a=msid:one two", "a=sendrecv", "a=mid:0", "",
].join("\r\n");

type Change = Partial<{ state: RTCSignalingState; type: RTCSdpType; current: RTCRtpTransceiverDirection; refuse: number; newestOnly: boolean }>;

/** What a connection is told, in its order. `refuse`: that answer of the far end; `newestOnly`: any offer but the last one. */
function line(change: Change = {}) {
  const audio = { direction: "sendrecv", currentDirection: change.current ?? "sendrecv" };
  const told: string[] = [];
  let offered = "", state = change.state ?? "stable";
  return {
    told,
    get signalingState() { return state; },
    remoteDescription: { type: change.type ?? "answer", sdp: ANSWER } as RTCSessionDescription,
    getTransceivers: () => [audio] as unknown as RTCRtpTransceiver[],
    createOffer: () => Promise.resolve({ type: "offer", sdp: (offered = audio.direction) } as RTCSessionDescriptionInit),
    setLocalDescription: (offer?: RTCSessionDescriptionInit) => {
      const sdp = offer?.sdp ?? audio.direction;
      if (change.newestOnly && offer && sdp !== offered) return Promise.reject(new Error("not the last offer"));
      state = "have-local-offer";
      told.push(sdp);
      return Promise.resolve();
    },
    setRemoteDescription: (answer: RTCSessionDescriptionInit) => {
      if (state === "stable") return Promise.reject(new Error("no offer"));
      if (change.refuse === told.length) return Promise.reject(new Error("refused"));
      state = "stable";
      told.push(answer.sdp ?? "");
      return Promise.resolve();
    },
  };
}
const WHOLE = ["sendonly", listeningOnly(ANSWER), "sendrecv", ANSWER];

describe("a receiver that begins anew", () => {
  it("is told that the far end only listens: nothing else of its answer changes", () => {
    expect(listeningOnly(ANSWER).split("\r\n")).toEqual([...ANSWER.split("\r\n").filter((one) => one && one !== "a=sendrecv"), "a=recvonly", ""]);
  });
  it("says so also where the far end did not say its direction, which means both ways", () => {
    const silent = ANSWER.replace("a=sendrecv\r\n", "");
    expect(listeningOnly(silent)).toBe(listeningOnly(ANSWER));
  });
  it("is let go and taken up again with the very answer that there was", async () => {
    const one = line();
    expect(await renewReceiver(one)).toBe(true);
    expect(one.told).toEqual(WHOLE);
  });
  it("is asked for all of it before anything is done, so that a busy page makes no pause", async () => {
    const one = line();
    let free = (): void => undefined;
    const busy = new Promise<void>((done) => (free = done));
    const renewed = renewReceiver({ ...one, setRemoteDescription: async (answer) => { await one.setRemoteDescription(answer); await busy; } });
    await new Promise((soon) => setTimeout(soon));
    expect(one.told).toEqual(WHOLE);
    free();
    expect(await renewed).toBe(true);
  });
  it("is renewed once where it is asked for twice", async () => {
    const one = line();
    expect(await Promise.all([renewReceiver(one), renewReceiver(one)])).toEqual([true, false]);
    expect(one.told).toEqual(WHOLE);
    expect(await renewReceiver(one)).toBe(true);
  });
  it("is renewed one step after the other where only the newest offer is taken", async () => {
    const one = line({ newestOnly: true });
    expect(await renewReceiver(one)).toBe(true);
    expect(one.told).toEqual(["sendrecv", ANSWER, ...WHOLE]);
  });
  it("is left alone on a line that is not at rest", async () => {
    for (const change of [{ state: "have-local-offer" }, { type: "offer" }, { current: "sendonly" }] as const) {
      const one = line(change);
      expect(await renewReceiver(one)).toBe(false);
      expect(one.told).toEqual([]);
    }
  });
  it("does not hide that the browser refused half-way", async () => {
    await expect(renewReceiver(line({ refuse: 3 }))).rejects.toThrow("refused");
  });
});
