// The softphone: does what the table in machine.ts says, and tells the page how things stand.
import { signal } from "@preact/signals";
import { api } from "../kit/api";
import { Problem } from "../kit/problem";
import { delay } from "../kit/reconnect";
import { listDevices, NoMicrophone, openMicrophone, play, type MicrophoneProblem } from "./audio";
import { phoneStep, type PhoneCommand, type PhoneEvent, type PhoneState } from "./machine";
import { judge, readingOf, UNKNOWN, warned, type Quality, type Reading } from "./quality";
import { openLine, type Credentials, type SipLine } from "./sip";
import { claim, hasOther, letGo, whenTaken } from "./tab";

interface Minted extends Credentials {
  open_leg: string;
}

export const phoneState = signal<PhoneState>("off");
export const muted = signal(false);
export const quality = signal<Quality>(UNKNOWN);
export const badNetwork = signal(false);
export const microphoneProblem = signal<MicrophoneProblem | null>(null);
/** For the page's own measurements and meters. */
export const localStream = signal<MediaStream | null>(null);
export const remoteStream = signal<MediaStream | null>(null);
export const connection = signal<RTCPeerConnection | null>(null);

const SPARE_MS = 60_000; // credentials that end within a minute are not begun with
const STEADY_MS = 10_000; // a leg that held this long: the next loss is a new one
const MEASURE_MS = 2_000;
const TAKEN = 4409;
const REFUSED = new Set([401, 403, 404, 4401, 4403]);

let line: SipLine | null = null;
let minted: Minted | null = null;
let turn = 0; // of the line: what an older one still says is not heard
let timer = 0;
let tries = 0;
let upAt = 0;
let measuring = 0;
let verdicts: Quality["verdict"][] = [];

function happen(event: PhoneEvent): void {
  const next = phoneStep(phoneState.value, event);
  if (phoneState.value === "up" && next.to !== "up" && performance.now() - upAt > STEADY_MS) tries = 0;
  if (next.to === "up" && phoneState.value !== "up") upAt = performance.now();
  phoneState.value = next.to;
  for (const command of next.do) DO[command]();
}

const DO: Record<PhoneCommand, () => void> = {
  ask_mic: () => void askMicrophone(),
  mint: () => void mint(),
  connect: () => void connect(),
  call: () => {
    if (line && minted && localStream.value) line.call(minted.open_leg, localStream.value);
  },
  teardown: takeDown,
  forget: () => void (minted = null),
  schedule: () => void (timer = window.setTimeout(() => happen("timer"), delay(++tries, Math.random()))),
  cancel_timer: () => window.clearTimeout(timer),
  claim,
  release: () => {
    letGo();
    minted = null;
    stopMicrophone();
    api.delete("/me/phone").catch(() => undefined); // it expires by itself
  },
};

async function askMicrophone(): Promise<void> {
  try {
    await newMicrophone();
    happen("mic_ok");
  } catch (error) {
    microphoneProblem.value = error instanceof NoMicrophone ? error.why : "busy";
    happen("mic_denied");
  }
}

async function newMicrophone(): Promise<void> {
  const stream = await openMicrophone();
  stopMicrophone();
  microphoneProblem.value = null;
  localStream.value = stream;
  for (const track of stream.getAudioTracks()) {
    track.enabled = !muted.value;
    track.addEventListener("ended", () => void replaceMicrophone()); // unplugged: the next one, without a new leg
  }
  await listDevices();
}

function stopMicrophone(): void {
  for (const track of localStream.value?.getTracks() ?? []) track.stop(); // stop() fires no `ended`
  localStream.value = null;
}

/** Take the chosen microphone now, also in mid call. */
export async function replaceMicrophone(): Promise<void> {
  if (phoneState.value === "off" || phoneState.value === "denied") return;
  try {
    await newMicrophone();
    const track = localStream.value?.getAudioTracks()[0];
    if (track) await line?.replaceTrack(track);
  } catch (error) {
    microphoneProblem.value = error instanceof NoMicrophone ? error.why : "busy";
    happen("mic_denied");
  }
}

async function mint(): Promise<void> {
  const good = minted && Date.parse(minted.expires_at) - Date.now() > SPARE_MS;
  if (good) {
    happen("minted");
    return;
  }
  try {
    minted = await api.post<Minted>("/me/phone");
    happen("minted");
  } catch (error) {
    happen(error instanceof Problem && error.status === 0 && !navigator.onLine ? "network_lost" : "lost");
  }
}

async function connect(): Promise<void> {
  if (!minted) {
    happen("lost");
    return;
  }
  const mine = ++turn;
  const current = (): boolean => mine === turn;
  try {
    const opened = await openLine(minted, {
      registered: () => { if (current() && phoneState.value === "connecting") happen("registered"); },
      up: (made) => {
        if (!current()) return;
        connection.value = made;
        startMeasuring(made);
        happen("leg_up");
      },
      audio: (stream) => {
        if (!current()) return;
        remoteStream.value = stream;
        void play(stream);
      },
      ended: ({ code }) => {
        if (current()) happen(code === TAKEN ? "taken" : REFUSED.has(code) ? "refused" : "lost");
      },
    });
    if (current()) line = opened;
    else opened.close();
  } catch {
    if (current()) happen("lost"); // the library could not be loaded
  }
}

function takeDown(): void {
  turn += 1;
  window.clearInterval(measuring);
  line?.close();
  line = null;
  connection.value = null;
  remoteStream.value = null;
  quality.value = UNKNOWN;
  badNetwork.value = false;
  verdicts = [];
  void play(null);
}

function startMeasuring(made: RTCPeerConnection): void {
  let before: Reading | null = null;
  window.clearInterval(measuring);
  measuring = window.setInterval(() => {
    void made.getStats().then((report) => {
      if (connection.value !== made) return;
      const after = readingOf([...(report as unknown as Map<string, Record<string, unknown>>).values()]);
      if (before) {
        quality.value = judge(before, after);
        verdicts = [...verdicts, quality.value.verdict].slice(-5);
        badNetwork.value = warned(verdicts, badNetwork.value);
      }
      before = after;
    });
  }, MEASURE_MS);
}

export function setMuted(on: boolean): void {
  muted.value = on;
  for (const track of localStream.value?.getAudioTracks() ?? []) track.enabled = !on;
}

/** The leg is made ready for another voice: before it comes (while it rings), so that its first word is heard at once; or
 * once it is there, so that nothing of the one before is heard and what is kept back for it is gone. */
export function readyToHear(): void {
  if (phoneState.value === "up") void line?.renew();
}

let begun = false;

/** At sign-in. Another tab that has the phone keeps it until `takePhone`. */
export async function startPhone(): Promise<void> {
  if (!begun) {
    begun = true;
    whenTaken(() => happen("taken"));
    window.addEventListener("offline", () => happen("network_lost"));
    window.addEventListener("online", () => happen("network_back"));
    (navigator.mediaDevices as MediaDevices | undefined)?.addEventListener("devicechange", () => void listDevices());
    window.addEventListener("pagehide", () => {
      turn += 1;
      line?.close();
    });
  }
  if (phoneState.value === "off" && (await hasOther())) phoneState.value = "elsewhere";
  else happen("start");
}

/** "Use it here": the other tab's leg ends. */
export const takePhone = (): void => happen("take");
export const stopPhone = (): void => happen("stop");
