import { describe, expect, it } from "vitest";
import { listeningOnly, renewReceiver } from "./receiver";

const ANSWER = [
  "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "a=group:BUNDLE 0",
  "m=audio 10000 UDP/TLS/RTP/SAVPF 0 101", "a=ice-ufrag:abc", "a=setup:active", "a=rtpmap:0 PCMU/8000",
  "a=ssrc:77 cname:x", "a=msid:one two", "a=sendrecv", "a=mid:0", "",
].join("\r\n");

function line(change: Partial<{ state: RTCSignalingState; type: RTCSdpType; current: RTCRtpTransceiverDirection; refuse: number }> = {}) {
  const audio = { direction: "sendrecv", currentDirection: change.current ?? "sendrecv" };
  const told: [string, string][] = [];
  return {
    told,
    signalingState: change.state ?? "stable",
    remoteDescription: { type: change.type ?? "answer", sdp: ANSWER } as RTCSessionDescription,
    getTransceivers: () => [audio] as unknown as RTCRtpTransceiver[],
    setLocalDescription: () => Promise.resolve(),
    setRemoteDescription: (answer: RTCSessionDescriptionInit) => {
      if (change.refuse === told.length) return Promise.reject(new Error("refused"));
      told.push([audio.direction, answer.sdp ?? ""]);
      return Promise.resolve();
    },
  };
}

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
    expect(one.told).toEqual([["sendonly", listeningOnly(ANSWER)], ["sendrecv", ANSWER]]);
  });
  it("is left alone on a line that is not at rest", async () => {
    for (const change of [{ state: "have-local-offer" }, { type: "offer" }, { current: "sendonly" }] as const) {
      const one = line(change);
      expect(await renewReceiver(one)).toBe(false);
      expect(one.told).toEqual([]);
    }
  });
  it("does not hide that the browser refused half-way", async () => {
    await expect(renewReceiver(line({ refuse: 1 }))).rejects.toThrow("refused");
  });
});
