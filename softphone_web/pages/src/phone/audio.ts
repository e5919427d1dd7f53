// The microphone, the loudspeaker, and which of them. What was chosen is kept in this browser only.
import { signal } from "@preact/signals";

export interface Devices {
  microphones: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

export type MicrophoneProblem = "denied" | "missing" | "busy" | "insecure";

export const devices = signal<Devices>({ microphones: [], speakers: [] });
export const microphone = signal(recall("microphone"));
export const speaker = signal(recall("speaker"));
/** Where the ringing comes out: often the loudspeaker, while the talk is in the headset. */
export const ringer = signal(recall("ringer"));

function recall(name: string): string {
  return (typeof localStorage === "undefined" ? null : localStorage.getItem(`rimay.${name}`)) ?? "";
}

export function choose(name: "microphone" | "speaker" | "ringer", id: string): void {
  ({ microphone, speaker, ringer })[name].value = id;
  localStorage.setItem(`rimay.${name}`, id);
}

export async function listDevices(): Promise<void> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((one) => one.kind === kind && one.deviceId !== "" && one.deviceId !== "communications");
  devices.value = { microphones: of("audioinput"), speakers: of("audiooutput") };
}

export class NoMicrophone extends Error {
  constructor(readonly why: MicrophoneProblem) {
    super(`no microphone: ${why}`);
  }
}

/** Raises `NoMicrophone`. A chosen device that is gone is replaced by the default one. */
export async function openMicrophone(): Promise<MediaStream> {
  if (!(navigator.mediaDevices as MediaDevices | undefined)) throw new NoMicrophone("insecure");
  const wanted = (id: string): MediaStreamConstraints => ({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(id && { deviceId: { exact: id } }) },
  });
  try {
    return await navigator.mediaDevices.getUserMedia(wanted(microphone.value));
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "OverconstrainedError" || (name === "NotFoundError" && microphone.value)) {
      choose("microphone", "");
      return openMicrophone();
    }
    throw new NoMicrophone(name === "NotAllowedError" || name === "SecurityError" ? "denied" : name === "NotFoundError" ? "missing" : "busy");
  }
}

/** Loudness of a stream, 0..1, told about thirty times a second until the returned function is called. */
export function meter(stream: MediaStream, tell: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    tell(levelOf(Math.sqrt(power)));
  }, 33);
  return () => {
    window.clearInterval(timer);
    void context.close();
  };
}

/** Effective amplitude to 0..1 over the 50 dB in which people speak. Pure. */
export function levelOf(rms: number): number {
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, (20 * Math.log10(rms) + 55) / 50));
}

/** A short tone to test the loudspeaker. */
export async function playTest(id: string): Promise<void> {
  const context = new AudioContext(id ? ({ sinkId: id } as AudioContextOptions) : {});
  const gain = context.createGain();
  gain.connect(context.destination);
  [523, 659, 784].forEach((frequency, at) => {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(context.currentTime + at * 0.18);
    tone.stop(context.currentTime + at * 0.18 + 0.16);
  });
  gain.gain.setValueAtTime(0.15, context.currentTime);
  await new Promise((done) => window.setTimeout(done, 800));
  await context.close();
}

/** The element that plays the other side; one for the page. */
let output: HTMLAudioElement | null = null;

export async function play(stream: MediaStream | null): Promise<void> {
  output ??= Object.assign(document.createElement("audio"), { autoplay: true });
  output.srcObject = stream;
  await applySpeaker();
  if (stream) await output.play().catch(() => undefined); // taken down while it began
}

export async function applySpeaker(): Promise<void> {
  if (!output || !("setSinkId" in output)) return;
  await output.setSinkId(speaker.value).catch(() => choose("speaker", "")); // unplugged: the default one
}
