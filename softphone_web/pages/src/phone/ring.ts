// How the page calls for attention: a ring, a notification of the system, the window's title.
import { notify } from "../kit/notify";
import { ringer } from "./audio";

const ON_S = 1.2;
const EVERY_S = 4;
let context: AudioContext | null = null;
let timer = 0;
let title = "";
let flash = 0;
let unnotify = (): void => undefined;

/** Two tones that beat, as telephones do here; soft enough for an open office. */
function ringOnce(audio: AudioContext): void {
  const gain = audio.createGain();
  const now = audio.currentTime;
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(0.12, now + 0.05);
  gain.gain.setValueAtTime(0.12, now + ON_S - 0.1);
  gain.gain.linearRampToValueAtTime(0, now + ON_S);
  gain.connect(audio.destination);
  for (const frequency of [425, 450]) {
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(now);
    tone.stop(now + ON_S);
  }
}

export function startRinging(words: { title: string; body: string }): void {
  stopRinging();
  context = new AudioContext(ringer.value ? ({ sinkId: ringer.value } as AudioContextOptions) : {});
  const audio = context;
  ringOnce(audio);
  timer = window.setInterval(() => ringOnce(audio), EVERY_S * 1000);
  title = document.title;
  flash = window.setInterval(() => {
    document.title = document.title === title ? words.title : title;
  }, 1000);
  document.title = words.title;
  unnotify = notify({ ...words, tag: "rimay-offer" });
}

export function stopRinging(): void {
  window.clearInterval(timer);
  window.clearInterval(flash);
  if (title) document.title = title;
  title = "";
  void context?.close();
  context = null;
  unnotify();
  unnotify = () => undefined;
}

const NOTES = [660, 880];
const NOTE_S = 0.16;

/** Two short notes: look up. Nothing where the browser does not let this page be heard yet; later it would be out of place. */
export function chime(): void {
  const audio = new AudioContext(ringer.value ? ({ sinkId: ringer.value } as AudioContextOptions) : {});
  if (audio.state === "suspended" && !navigator.userActivation.hasBeenActive) {
    void audio.close();
    return;
  }
  NOTES.forEach((frequency, at) => {
    const begin = audio.currentTime + at * NOTE_S;
    const gain = audio.createGain();
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(0.1, begin + 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + NOTE_S);
    gain.connect(audio.destination);
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(begin);
    tone.stop(begin + NOTE_S);
    if (at === NOTES.length - 1) tone.onended = () => void audio.close();
  });
}
