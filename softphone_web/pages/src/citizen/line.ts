/** One call of a citizen: the account for it, the microphone, the SIP library (loaded when the button is pressed), the audio. */
import type { Socket } from "jssip/lib/Socket";
import { TicketSocket } from "./socket";
import type { Event } from "./machine";

interface Account {
  uri: string;
  username: string;
  password: string;
  domain: string;
  socket: string;
  ticket: string;
  call: string;
}

export interface Line {
  hangUp(): void;
  mute(on: boolean): void;
  press(key: string): void;
}

/** How it went wrong, beyond the state: seconds to wait, or that there is no microphone at all. */
export interface Detail {
  retryS?: number;
  noMic?: boolean;
}

type Tell = (event: Event, detail?: Detail) => void;

export async function askMicrophone(tell: Tell): Promise<MediaStream | null> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    tell("refused", { noMic: name === "NotFoundError" || name === "DevicesNotFoundError" });
    return null;
  }
}

/** Opens the line; resolves when the call is on its way, or null when it cannot be (which was told). */
export async function openLine(audio: HTMLAudioElement, microphone: MediaStream, tell: Tell): Promise<Line | null> {
  try {
    const answer = await fetch("/api/v1/webphone", { method: "POST", headers: { Accept: "application/json" } });
    if (answer.status === 429 || answer.status === 503) {
      const retry = Number(answer.headers.get("Retry-After"));
      tell("no_room", retry > 0 ? { retryS: retry } : {});
      return null;
    }
    if (!answer.ok) throw new Error(`webphone: ${answer.status}`);
    const [account, { default: JsSIP }] = await Promise.all([answer.json() as Promise<Account>, import("jssip")]);
    return dial(JsSIP, account, audio, microphone, tell);
  } catch {
    tell("broken");
    return null;
  }
}

function dial(
  JsSIP: typeof import("jssip"),
  account: Account,
  audio: HTMLAudioElement,
  microphone: MediaStream,
  tell: Tell,
): Line {
  const socket = new TicketSocket(new URL(account.socket, location.href.replace(/^http/, "ws")).href, account.ticket);
  const ua = new JsSIP.UA({
    sockets: [{ socket: socket as unknown as Socket, weight: 0 }], // its types name a class where an interface is meant
    uri: account.uri,
    authorization_user: account.username,
    password: account.password,
    register: false,
    session_timers: false,
  });
  let session: ReturnType<typeof ua.call> | null = null;
  let over = false;
  const end = (event: Event): void => {
    if (over) return;
    over = true;
    microphone.getTracks().forEach((track) => track.stop());
    audio.srcObject = null;
    ua.stop();
    tell(event);
  };
  ua.on("connected", () => {
    if (session || over) return;
    session = ua.call(account.call, { mediaStream: microphone, pcConfig: { iceServers: [] } });
    session.on("accepted", () => tell("accepted"));
    session.on("ended", () => end("over"));
    session.on("failed", (event: { cause: string }) => end(REFUSALS.has(event.cause) ? "rejected" : "broken"));
    session.connection.addEventListener("track", (event: RTCTrackEvent) => {
      audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      // The press of the button allows sound; a browser that still refuses lets the call go on without.
      audio.play().catch(() => undefined);
    });
  });
  // A talk in progress outlives its signalling for a moment: the library connects again by itself.
  ua.on("disconnected", () => {
    if (!session || !session.isEstablished()) end("broken");
  });
  ua.start();
  return {
    hangUp: () => {
      if (session && !session.isEnded()) session.terminate();
      end("over");
    },
    mute: (on) => (on ? session?.mute({ audio: true }) : session?.unmute({ audio: true })),
    press: (key) => session?.sendDTMF(key, { transportType: "RFC2833" as never, duration: 120 }),
  };
}

/** Causes of JsSIP that mean "not now" rather than "broken". */
const REFUSALS = new Set(["Busy", "Rejected", "Unavailable"]);
