/** The citizen's web phone: one button. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Keypad } from "./keypad";
import { microphoneFor, openLine, type Detail, type Line } from "./line";
import { isCalling, next, type Event, type State } from "./machine";
import { languageOf, words, type Language } from "./texts";

const canCall = (): boolean =>
  typeof RTCPeerConnection === "function" && "mediaDevices" in navigator // only over TLS or on this machine itself;

const stop = (microphone: MediaStream): void => microphone.getTracks().forEach((track) => track.stop());
const two = (n: number): string => String(n).padStart(2, "0");

export function Page() {
  const [language, setLanguage] = useState<Language>(() => languageOf(navigator.languages));
  const [organisation, setOrganisation] = useState("");
  const call = useCall();
  const t = words(language);
  const title = organisation ? t("titleOf", { name: organisation }) : t("title");

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = title;
  }, [language, title]);
  useEffect(() => {
    fetch("/api/v1/sign-in/methods")
      .then((answer) => (answer.ok ? answer.json() : null))
      .then((told: { organisation?: string } | null) => setOrganisation(told?.organisation ?? ""))
      .catch(() => undefined); // the page works without the name
  }, []);

  const { state } = call;
  return (
    <main class={`call is-${state}`}>
      <h1>{title}</h1>
      {!isCalling(state) && canTry(state) && <p class="lead">{t("lead")}</p>}
      <div class="status" role="status" aria-live="polite">
        {statusOf(call, t)}
        {call.muted && state === "talking" && <p class="warn">{t("muted")}</p>}
      </div>
      {state === "denied" && !call.detail.noMic && (
        <ol class="steps">
          <li>{t("denied1")}</li>
          <li>{t("denied2")}</li>
          <li>{t("denied3")}</li>
        </ol>
      )}
      {state === "talking" && (
        <>
          <p class="clock" role="timer" aria-label={t("time")}>
            {two(Math.floor(call.seconds / 60))}:{two(call.seconds % 60)}
          </p>
          <Keypad t={t} press={call.press} />
          <button type="button" class="mute" aria-pressed={call.muted} onClick={call.toggleMute}>
            {call.muted ? t("unmute") : t("mute")} <kbd>M</kbd>
          </button>
        </>
      )}
      {canTry(state) && (
        <button type="button" class="big" onClick={call.pressButton}>
          <Handset down={isCalling(state)} />
          {t(state === "idle" ? "call" : state === "talking" ? "hangUp" : isCalling(state) ? "cancel" : "again")}
        </button>
      )}
      {state === "idle" && <p class="small">{t("need")}</p>}
      {canTry(state) && <p class="small">{t("privacy")}</p>}
      <button type="button" class="language" lang={language === "es" ? "en" : "es"} onClick={() => setLanguage(language === "es" ? "en" : "es")}>
        {t("language")}
      </button>
      <audio ref={call.audio} />
    </main>
  );
}

const canTry = (state: State): boolean => state !== "unsupported" && state !== "unoffered";

function statusOf(call: ReturnType<typeof useCall>, t: ReturnType<typeof words>) {
  switch (call.state) {
    case "idle":
      return null;
    case "denied":
      return <p class="bad">{call.detail.noMic ? t("noMic") : t("deniedTitle")}</p>;
    case "limited":
      // of a single second nobody reads
      return <p class="warn">{(call.detail.retryS ?? 0) > 1 ? t("limitedIn", { seconds: call.detail.retryS ?? 0 }) : t("limited")}</p>;
    case "unoffered":
    case "busy":
    case "unavailable":
      return <p class="warn">{t(call.state)}</p>;
    case "failed":
    case "unsupported":
      return <p class="bad">{t(call.state)}</p>;
    default:
      return <p>{t(call.state)}</p>;
  }
}

/** The call with its effects; what follows what is in `machine.ts`. */
function useCall() {
  const [state, setState] = useState<State>(() => (canCall() ? "idle" : "unsupported"));
  const [detail, setDetail] = useState<Detail>({});
  const [muted, setMuted] = useState(false);
  const [seconds, setSeconds] = useState(0);
  const audio = useRef<HTMLAudioElement>(null);
  const line = useRef<Line | null>(null);
  const now = useRef(state);
  const attempt = useRef(0);

  const happen = (event: Event, more: Detail = {}): State => {
    now.current = next(now.current, event);
    setState(now.current);
    setDetail(more);
    return now.current;
  };

  const begin = async (): Promise<void> => {
    setMuted(false);
    setSeconds(0);
    const mine = ++attempt.current;
    // What an attempt that was given up still tells is nothing to the one after it.
    const tell = (event: Event, more?: Detail): State => (mine === attempt.current ? happen(event, more) : "idle");
    const microphone = await microphoneFor(tell);
    if (!microphone) return;
    if (tell("granted") !== "calling" || !audio.current) {
      stop(microphone);
      return;
    }
    const opened = await openLine(audio.current, microphone, tell);
    if (mine === attempt.current && (now.current === "calling" || now.current === "talking")) line.current = opened;
    else {
      opened?.hangUp();
      stop(microphone);
    }
  };

  const pressButton = (): void => {
    if (isCalling(now.current)) {
      happen("press");
      line.current?.hangUp();
      line.current = null;
    } else if (happen("press") === "checking") void begin();
  };
  const toggleMute = (): void => {
    line.current?.mute(!muted);
    setMuted(!muted);
  };

  useEffect(() => {
    if (state !== "talking") return;
    const began = Date.now();
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - began) / 1000)), 500);
    return () => clearInterval(timer);
  }, [state]);
  useEffect(() => {
    if (state !== "talking") return;
    const key = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key.toLowerCase() === "m") toggleMute();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [state, muted]);

  return { state, detail, muted, seconds, audio, pressButton, toggleMute, press: (key: string) => line.current?.press(key) };
}

function Handset({ down }: { down: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" class={down ? "handset down" : "handset"}>
      <path d="M6.6 3.2 9.3 3a1.6 1.6 0 0 1 1.6 1.1l.9 2.7a1.6 1.6 0 0 1-.4 1.6L9.9 9.9a12.6 12.6 0 0 0 4.2 4.2l1.5-1.5a1.6 1.6 0 0 1 1.6-.4l2.7.9a1.6 1.6 0 0 1 1.1 1.6l-.2 2.7a2.2 2.2 0 0 1-2.3 2A16.8 16.8 0 0 1 4.6 5.5a2.2 2.2 0 0 1 2-2.3Z" />
    </svg>
  );
}
