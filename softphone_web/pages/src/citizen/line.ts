/** One call of a citizen: whether there can be one, the microphone, the account for it, the SIP library (loaded when it is needed),
 *  the audio. */
import type { Socket } from "jssip/lib/Socket";
import { TicketSocket } from "./socket";
import type { Event, Refusal, State } from "./machine";

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

const ADDRESS = "/api/v1/webphone";
const REFUSED: Partial<Record<string, Refusal>> = {
  "webphone.not_offered": "not_offered",
  "webphone.lines_busy": "no_room",
  "webphone.too_many_calls": "too_many",
};

/** The server's answer, or null when it is a no (which was told). A 429 or 503 without a code of ours is a proxy's. */
async function ask(method: "GET" | "POST", tell: Tell): Promise<Response | null> {
  const answer = await fetch(ADDRESS, { method, headers: { Accept: "application/json" }, cache: "no-store" });
  if (answer.ok) return answer;
  const { code = "" } = (await answer.json().catch(() => ({}))) as { code?: string };
  const refusal = REFUSED[code] ?? (answer.status === 429 ? "too_many" : answer.status === 503 ? "unavailable" : null);
  if (refusal === null) throw new Error(`webphone: ${answer.status} ${code}`);
  const retry = Number(answer.headers.get("Retry-After"));
  tell(refusal, retry > 0 ? { retryS: retry } : {});
  return null;
}

/** The microphone, asked for when the server says that a call can begin; null when one of them says no (which was told) or the
 *  call was given up meanwhile. `tell` gives the state that follows. */
export async function microphoneFor(tell: (event: Event, detail?: Detail) => State): Promise<MediaStream | null> {
  try {
    if (!(await ask("GET", tell))) return null;
  } catch {
    tell("broken");
    return null;
  }
  return tell("free") === "asking" ? askMicrophone(tell) : null;
}

async function askMicrophone(tell: Tell): Promise<MediaStream | null> {
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
    const answer = await ask("POST", tell);
    if (!answer) return null;
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
