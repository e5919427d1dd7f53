// One's own account: the password, the verification code, where one is signed in.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { api } from "./api";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field } from "./field";
import { texts } from "./i18n";
import { sentence } from "./problem";
import type { QrDrawing } from "./qr";
import { loadSession, session } from "./session";
import { OwnSessions } from "./sessions";
import { tell } from "./toast";
import { useBusy } from "./use";

export const securityOpen = signal(false);

const t = texts({
  title: ["Mi cuenta", "My account"],
  mustTitle: ["Contraseña nueva", "New password"],
  must: ["Su contraseña es temporal. Elija una nueva para continuar.", "Your password is temporary. Choose a new one to go on."],
  password: ["Contraseña", "Password"],
  old: ["Contraseña actual", "Current password"],
  new: ["Contraseña nueva", "New password"],
  newHint: ["{n} caracteres o más. Una frase es buena idea.", "{n} characters or more. A phrase is a good idea."],
  again: ["Repita la contraseña nueva", "Repeat the new password"],
  differ: ["Las dos contraseñas no son iguales.", "The two passwords are not the same."],
  change: ["Cambiar contraseña", "Change password"],
  changed: ["Su contraseña cambió.", "Your password has changed."],
  totp: ["Verificación en dos pasos", "Two-step verification"],
  totpOn: ["Activada. Al ingresar se le pide un código de su aplicación.", "On. Signing in asks for a code of your app."],
  totpOff: ["Desactivada. Con ella, su contraseña sola no basta para ingresar.", "Off. With it, your password alone is not enough to sign in."],
  begin: ["Activar", "Turn on"],
  end: ["Desactivar", "Turn off"],
  scan: ["Escanee este código con su aplicación de verificación.", "Scan this code with your authenticator app."],
  qr: ["Código QR para la aplicación de verificación", "QR code for the authenticator app"],
  secret: ["O escriba esta clave en ella:", "Or type this key into it:"],
  openApp: ["Abrir en la aplicación de este equipo", "Open in this device's app"],
  code: ["Código de seis cifras", "Six-digit code"],
  confirm: ["Confirmar", "Confirm"],
  enabled: ["La verificación en dos pasos está activada.", "Two-step verification is on."],
  disabled: ["La verificación en dos pasos está desactivada.", "Two-step verification is off."],
});

export function SecurityDialog({ forced = false, onDone }: { forced?: boolean; onDone?: () => void }) {
  const close = (): void => { if (!forced) securityOpen.value = false; };
  return (
    <Dialog title={t(forced ? "mustTitle" : "title")} onClose={close}>
      {forced && <p class="muted">{t("must")}</p>}
      <Password onDone={() => { close(); onDone?.(); }} />
      {!forced && <Totp />}
      {!forced && <OwnSessions />}
    </Dialog>
  );
}

function Password({ onDone }: { onDone: () => void }) {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const save = (): Promise<void> => run(async () => {
    if (next !== again) { setError(t("differ")); return; }
    setError(null);
    try {
      await api.put("/me/password", { old, new: next });
      await loadSession();
      tell(t("changed"), { tone: "good" });
      onDone();
    } catch (problem) {
      setError(sentence(problem));
    }
  });
  return (
    <section class="stack">
      <h3>{t("password")}</h3>
      <Field label={t("old")} type="password" value={old} onInput={setOld} attributes={{ autocomplete: "current-password" }} />
      <Field label={t("new")} type="password" value={next} onInput={setNext} hint={t("newHint", { n: session.value?.password_shortest ?? "" })} attributes={{ autocomplete: "new-password" }} />
      <Field label={t("again")} type="password" value={again} onInput={setAgain} error={error} attributes={{ autocomplete: "new-password" }} />
      <div><Button kind="primary" busy={busy} disabled={!old || !next || !again} onClick={() => void save()}>{t("change")}</Button></div>
    </section>
  );
}

function Totp() {
  const [offer, setOffer] = useState<{ secret: string; uri: string } | null>(null);
  const [code, setCode] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const on = session.value?.user.totp ?? false;
  const attempt = (work: () => Promise<void>): void => void run(async () => {
    setError(null);
    await work().catch((problem: unknown) => setError(sentence(problem)));
  });
  const settle = (how: "put" | "delete", said: "enabled" | "disabled"): void => attempt(async () => {
    await api[how]("/me/totp", { code });
    await loadSession();
    setOffer(null);
    setCode("");
    tell(t(said), { tone: "good" });
  });
  return (
    <section class="stack">
      <h3>{t("totp")}</h3>
      <p class="muted">{on ? t("totpOn") : t("totpOff")}</p>
      {offer && (
        <div class="enrol">
          <Qr text={offer.uri} />
          <div class="stack">
            <p>{t("scan")}</p>
            <p>{t("secret")}</p>
            <code class="secret">{offer.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
            <a href={offer.uri}>{t("openApp")}</a>
          </div>
        </div>
      )}
      {(on || offer) && (
        <Field label={t("code")} value={code} onInput={setCode} error={error} attributes={{ inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6 }} />
      )}
      <div>
        {on ? (
          <Button busy={busy} disabled={code.length !== 6} onClick={() => settle("delete", "disabled")}>{t("end")}</Button>
        ) : offer ? (
          <Button kind="primary" busy={busy} disabled={code.length !== 6} onClick={() => settle("put", "enabled")}>{t("confirm")}</Button>
        ) : (
          <Button busy={busy} onClick={() => attempt(async () => setOffer(await api.post("/me/totp")))}>{t("begin")}</Button>
        )}
      </div>
    </section>
  );
}

/** Dark on white in both themes, as readers expect. What draws it is loaded only here. */
function Qr({ text }: { text: string }) {
  const [drawing, setDrawing] = useState<QrDrawing | null>(null);
  useEffect(() => {
    let gone = false;
    // without the drawing the key beside it does
    void import("./qr").then(({ qrDrawing }) => { if (!gone) setDrawing(qrDrawing(text)); }, () => undefined);
    return () => { gone = true; };
  }, [text]);
  if (!drawing) return <div class="qr" />;
  return (
    <svg class="qr" viewBox={`0 0 ${drawing.size} ${drawing.size}`} role="img" aria-label={t("qr")} shape-rendering="crispEdges">
      <rect class="qr-light" width={drawing.size} height={drawing.size} />
      <path class="qr-dark" d={drawing.path} />
    </svg>
  );
}
