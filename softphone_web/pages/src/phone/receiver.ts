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

interface Line {
  readonly signalingState: RTCSignalingState;
  readonly remoteDescription: RTCSessionDescription | null;
  getTransceivers(): RTCRtpTransceiver[];
  createOffer(): Promise<RTCSessionDescriptionInit>;
  setLocalDescription(offer?: RTCSessionDescriptionInit): Promise<void>;
  setRemoteDescription(answer: RTCSessionDescriptionInit): Promise<void>;
}

const underWay = new WeakSet<Line>();

/** False where nothing was done: the line is being negotiated or renewed, on hold, or was offered by the far end. Throws where the
 * browser refuses half-way: the line is then of no use any more.
 *
 * Between the two exchanges nothing is heard. So all is made ready before, and then asked for at once: the connection takes
 * one after the other by itself, however busy the page is. A browser that takes no offer but the newest does only the
 * second exchange, which changes nothing; there each waits for the one before. */
export async function renewReceiver(line: Line): Promise<boolean> {
  const answer = line.remoteDescription;
  const audio = line.getTransceivers()[0];
  if (underWay.has(line) || line.signalingState !== "stable" || answer?.type !== "answer" || audio?.currentDirection !== "sendrecv") return false;
  underWay.add(line);
  try {
    await beginAnew(line, audio, answer);
  } finally {
    underWay.delete(line);
  }
  return true;
}

async function beginAnew(line: Line, audio: RTCRtpTransceiver, answer: RTCSessionDescription): Promise<void> {
  const only: RTCSessionDescriptionInit = { type: "answer", sdp: listeningOnly(answer.sdp) };
  const both: RTCSessionDescriptionInit = { type: "answer", sdp: answer.sdp };
  audio.direction = "sendonly";
  const deaf = await line.createOffer();
  audio.direction = "sendrecv";
  const hearing = await line.createOffer();
  const done = await Promise.allSettled([
    line.setLocalDescription(deaf),
    line.setRemoteDescription(only),
    line.setLocalDescription(hearing),
    line.setRemoteDescription(both),
  ]);
  const [first, , third, last] = done.map((one) => one.status === "fulfilled");
  if (first && last) return;
  if (!third || !last) throw done.find((one) => one.status === "rejected")?.reason;
  for (const [direction, told] of [["sendonly", only], ["sendrecv", both]] as const) {
    audio.direction = direction;
    await line.setLocalDescription();
    await line.setRemoteDescription(told);
  }
}
