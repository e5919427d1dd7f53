// A receiver that begins anew, on a connection that stands.
//
// Each talk on an open leg comes with the packet times of another caller. Chromium's jitter buffer takes
// the leap for packets that come far too early: it holds them back for 50 ms beyond the delay that it aims at, which is 80 ms
// at first and grows with every hiccup that the leg lives through, and then plays too fast what it kept. An emptied buffer
// plays the first packet at once; and nothing of the voice before is heard any more, which on a busy machine lies in it for
// up to some seconds (`jitterBufferTarget` and its kind only make it hold back more). It is emptied where playing stops: the line is told to send only, and then to receive
// again, an offer and an answer each, both from here. The far end sees nothing of it; keys, candidates and our own sound
// stay as they are.

const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)$/;

/** The same answer, of one who listens and says nothing. The stream stays named in it: without, the track would be another
 * one, and what plays it in Web Audio silent for good. Pure. */
export function listeningOnly(answer: string): string {
  const [head = "", ...media] = answer.split(/^(?=m=)/m);
  const kept = (part: string): string[] => part.split("\r\n").filter((line) => line && !DIRECTION.test(line));
  return [kept(head), ...media.map((part) => [...kept(part), "a=recvonly"])].flat().join("\r\n") + "\r\n";
}

type Line = Pick<RTCPeerConnection, "signalingState" | "remoteDescription" | "getTransceivers" | "setLocalDescription" | "setRemoteDescription">;

/** False where nothing was done: the line is being negotiated, on hold, or was offered by the far end. Throws where the
 * browser refuses half-way: the line is then of no use any more. */
export async function renewReceiver(line: Line): Promise<boolean> {
  const answer = line.remoteDescription;
  const audio = line.getTransceivers()[0];
  if (line.signalingState !== "stable" || answer?.type !== "answer" || audio?.currentDirection !== "sendrecv") return false;
  for (const [direction, sdp] of [["sendonly", listeningOnly(answer.sdp)], ["sendrecv", answer.sdp]] as const) {
    audio.direction = direction;
    await line.setLocalDescription();
    await line.setRemoteDescription({ type: "answer", sdp });
  }
  return true;
}
