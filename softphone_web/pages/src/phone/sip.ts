// One call of one endpoint over the platform's own web socket, with JsSIP. The library is loaded when it is first needed.
import type { RTCSession } from "jssip/lib/RTCSession";
import { renewReceiver } from "./receiver";

export interface Credentials {
  endpoint?: string;
  uri: string;
  username: string;
  password: string;
  domain: string;
  socket: string;
  ice_servers?: RTCIceServer[];
  expires_at: string;
}

export interface SipEvents {
  registered: () => void;
  /** Both sides are connected; `connection` is there to be measured. */
  up: (connection: RTCPeerConnection) => void;
  /** The call, the registration or the socket ended. `code`: of the socket's close, or the SIP answer. */
  ended: (why: { code: number; cause: string }) => void;
  audio: (stream: MediaStream) => void;
}

export interface SipLine {
  call: (target: string, stream: MediaStream) => void;
  sendTone: (tone: string) => void;
  /** Another microphone, without a new call. */
  replaceTrack: (track: MediaStreamTrack) => Promise<void>;
  /** What comes in next is another voice: the browser's buffer for it begins anew. */
  renew: () => Promise<void>;
  close: () => void;
}

interface Ended {
  cause: string;
  message?: { status_code?: number } | null;
}

const GATHER_MS = 150; // after the first candidate: those of all interfaces are there by then, and no server is waited for
const BROKEN_MS = 2_500; // "disconnected" may heal by itself; citizens should not hear silence for longer
const REGISTER_S = 120;

/** JsSIP's socket by its own rules, with our subprotocols and with the close code told. */
class Socket {
  via_transport: string;
  readonly sip_uri: string;
  private socket: WebSocket | null = null;
  closeCode = 0;
  onconnect: () => void = () => undefined;
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: string) => void = () => undefined;

  constructor(readonly url: string, private readonly protocols: string[]) {
    const scheme = new URL(url).protocol === "wss:" ? "wss" : "ws";
    this.via_transport = scheme.toUpperCase();
    this.sip_uri = `sip:${new URL(url).host};transport=${scheme}`;
  }

  connect(): void {
    if (this.socket) return;
    const opened = new WebSocket(this.url, this.protocols);
    opened.binaryType = "arraybuffer";
    this.socket = opened;
    opened.onopen = () => this.onconnect();
    opened.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.ondata(typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data));
    opened.onclose = (event) => {
      if (this.socket !== opened) return;
      this.socket = null;
      this.closeCode = event.code;
      this.ondisconnect(!event.wasClean, event.code, event.reason);
    };
  }

  disconnect(): void {
    const old = this.socket;
    this.socket = null;
    if (!old) return;
    old.onmessage = null;
    old.close(1000);
  }

  send(message: string): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(message);
    return true;
  }

  isConnected = (): boolean => this.socket?.readyState === WebSocket.OPEN;
  isConnecting = (): boolean => this.socket?.readyState === WebSocket.CONNECTING;
}

export function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** Opens the socket and, unless `register` is false, registers. What goes wrong is told by `ended`, once. */
export async function openLine(credentials: Credentials, events: SipEvents, more: { protocols?: string[]; register?: boolean } = {}): Promise<SipLine> {
  const { UA } = await import("jssip/lib/JsSIP");
  const register = more.register ?? true;
  const socket = new Socket(socketUrl(credentials.socket), ["sip", ...(more.protocols ?? [])]);
  const agent = new UA({
    sockets: [socket as never],
    uri: credentials.uri,
    authorization_user: credentials.username,
    password: credentials.password,
    register,
    register_expires: REGISTER_S,
    session_timers: false,
    user_agent: "Rimay",
    connection_recovery_min_interval: 3600, // connecting again is ours to decide, by the phone's own table
    connection_recovery_max_interval: 3600,
  });
  let session: RTCSession | null = null;
  let made: RTCPeerConnection | null = null;
  let over = false;
  let broken = 0;

  const end = (code: number, cause: string): void => {
    if (over) return;
    over = true;
    window.clearTimeout(broken);
    events.ended({ code, cause });
  };
  agent.on("registered", () => { if (!over) events.registered(); });
  agent.on("connected", () => { if (!register && !over) events.registered(); });
  agent.on("registrationFailed", (event: { response?: { status_code?: number } | null; cause?: string }) => end(event.response?.status_code ?? 0, event.cause ?? "registration"));
  agent.on("disconnected", () => end(socket.closeCode, "socket"));

  const watch = (connection: RTCPeerConnection): void => {
    connection.addEventListener("track", (event) => events.audio(event.streams[0] ?? new MediaStream([event.track])));
    connection.addEventListener("connectionstatechange", () => {
      window.clearTimeout(broken);
      if (connection.connectionState === "failed") end(0, "media");
      else if (connection.connectionState === "disconnected") broken = window.setTimeout(() => end(0, "media"), BROKEN_MS);
    });
  };

  agent.start();
  return {
    call: (target, stream) => {
      let gathering = 0;
      // Handlers go in with the call: JsSIP makes the connection before `call` returns.
      session = agent.call(target, {
        mediaStream: stream,
        mediaConstraints: { audio: true, video: false },
        pcConfig: { iceServers: credentials.ice_servers ?? [] },
        eventHandlers: {
          peerconnection: (event: { peerconnection: RTCPeerConnection }) => {
            made = event.peerconnection;
            watch(made);
          },
          icecandidate: (event: { ready: () => void }) => {
            gathering ||= window.setTimeout(() => event.ready(), GATHER_MS);
          },
          confirmed: () => { if (!over && made) events.up(made); },
          ended: (event: Ended) => end(0, event.cause),
          failed: (event: Ended) => end(event.message?.status_code ?? 0, event.cause),
        } as never,
      });
    },
    sendTone: (tone) => session?.sendDTMF(tone, { transportType: "RFC2833" as never }),
    replaceTrack: async (track) => {
      for (const sender of made?.getSenders() ?? []) if (sender.track?.kind === "audio") await sender.replaceTrack(track);
    },
    renew: async () => {
      try {
        if (made && !over) await renewReceiver(made);
      } catch {
        end(0, "media"); // one that may be deaf is set up anew
      }
    },
    close: () => {
      over = true;
      window.clearTimeout(broken);
      try {
        session?.terminate();
      } catch {
        // It had ended already.
      }
      agent.stop();
    },
  };
}
