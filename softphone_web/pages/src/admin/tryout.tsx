// Try a flow in the page: a call without a telephone. Somebody plays the caller, and whoever else the flow asks.
import { PhoneCall, PhoneOff, Send } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Button } from "../kit/button";
import { Check, Field } from "../kit/field";
import { tellError } from "../kit/toast";
import { useBusy } from "../kit/use";
import { heard, inputOf, inputOfChoice, mayMeetBot, NO_TALK, type Choice, type Input, type TryOut } from "./rehearsal";
import { t, word } from "./texts";

/** In the page's language, where it is one of the words for how somebody else's part may end. */
const titleOf = ({ field, value, title }: Choice): string => (field.startsWith("answer.") ? word(`try.${field}`, value) : title || value);

export function TryPanel({ flow, text, onNode }: { flow: string; text: string; onNode: (node: string | null) => void }) {
  const [caller, setCaller] = useState("0991234567");
  const [byHand, setByHand] = useState(false);
  const [talk, setTalk] = useState(NO_TALK);
  const [typed, setTyped] = useState("");
  const [busy, run] = useBusy();
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    onNode(talk.node);
    end.current?.scrollIntoView({ block: "nearest" });
  }, [talk]);
  const begin = (): void => void run(() => api.post<TryOut>(`/flows/${idPart(flow)}/try`, { yaml: text, caller, by_hand: byHand }).then((answer) => setTalk(heard(NO_TALK, null, answer)), tellError));
  const tell = (input: Input, said: string): void => {
    const { session } = talk;
    if (session === null) return;
    setTyped("");
    void run(() => api.post<TryOut>(`/flows/try/${idPart(session)}`, { input }).then((answer) => setTalk((so) => heard(so, said, answer)), tellError));
  };
  const say = (): void => {
    const input = inputOf(typed);
    if (input) tell(input, typed.trim());
  };
  const waits = talk.waiting;
  if (talk.session === null) {
    return (
      <form class="try-start stack" onSubmit={(event) => { event.preventDefault(); begin(); }}>
        <p class="muted">{t("try.hint")}</p>
        <Field label={t("try.caller")} type="tel" value={caller} onInput={setCaller} />
        {mayMeetBot(text) && <Check label={t("try.byHand")} hint={t("try.byHandHint")} checked={byHand} onChange={setByHand} />}
        <div><Button kind="primary" icon={PhoneCall} type="submit" busy={busy}>{t("try.start")}</Button></div>
      </form>
    );
  }
  return (
    <div class="try">
      <div class="talk-log" role="log" aria-label={t("flow.try")} tabIndex={0}><ol class="talk">
        {talk.lines.map((line, at) => <li key={at} class={line.by}><span class={line.by === "fault" ? "fault-word" : "visually-hidden"}>{t(line.by === "caller" ? "try.you" : line.by === "fault" ? "try.fault" : "try.platform")}: </span>{line.text}</li>)}
        {talk.over && <li class="over">{t("try.over")}</li>}
        <li ref={end} class="end" aria-hidden="true" />
      </ol></div>
      {!talk.over && waits && (
        <div class="try-now">
          <p class="small"><strong>{word("try.waits", waits.kind)}</strong></p>
          <div class="row">
            {waits.options.map((one) => <Button key={`${one.field} ${one.value}`} size="small" disabled={busy} onClick={() => tell(inputOfChoice(one), titleOf(one))}>{one.field === "digits" ? <><strong>{one.value}</strong> {one.title}</> : titleOf(one)}</Button>)}
          </div>
          <form class="row try-say" onSubmit={(event) => { event.preventDefault(); say(); }}>
            <input class="input" aria-label={t("try.say")} placeholder={t("try.say")} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            <Button type="submit" icon={Send} label={t("try.send")} busy={busy} />
          </form>
          <div class="row">
            <Button size="small" kind="quiet" disabled={busy} onClick={() => tell({ silence: true }, t("try.silent"))}>{t("try.silence")}</Button>
            <Button size="small" kind="quiet" icon={PhoneOff} disabled={busy} onClick={() => tell({ hangup: true }, t("try.hungUp"))}>{t("try.hangUp")}</Button>
          </div>
        </div>
      )}
      <div class="try-foot">
        <p class="small muted">{t("try.path")}: {talk.path.join(" → ")}</p>
        <Button size="small" icon={PhoneCall} disabled={busy} onClick={() => { setTalk(NO_TALK); begin(); }}>{t("try.again")}</Button>
      </div>
    </div>
  );
}
