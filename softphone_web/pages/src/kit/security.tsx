// One's own password and verification code.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { api } from "./api";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field } from "./field";
import { texts } from "./i18n";
import { sentence } from "./problem";
import { loadSession, session } from "./session";
import { tell } from "./toast";
import { useBusy } from "./use";

export const securityOpen = signal(false);

const t = texts({
  title: ["Contraseña y verificación", "Password and verification"],
  must: ["Su contraseña es temporal. Elija una nueva para continuar.", "Your password is temporary. Choose a new one to go on."],
  password: ["Contraseña", "Password"],
  old: ["Contraseña actual", "Current password"],
  new: ["Contraseña nueva", "New password"],
  newHint: ["Doce caracteres o más. Una frase es buena idea.", "Twelve characters or more. A phrase is a good idea."],
  again: ["Repita la contraseña nueva", "Repeat the new password"],
  differ: ["Las dos contraseñas no son iguales.", "The two passwords are not the same."],
  change: ["Cambiar contraseña", "Change password"],
  changed: ["Su contraseña cambió.", "Your password has changed."],
  totp: ["Verificación en dos pasos", "Two-step verification"],
  totpOn: ["Activada. Al ingresar se le pide un código de su aplicación.", "On. Signing in asks for a code of your app."],
  totpOff: ["Desactivada. Con ella, su contraseña sola no basta para ingresar.", "Off. With it, your password alone is not enough to sign in."],
  begin: ["Activar", "Turn on"],
  end: ["Desactivar", "Turn off"],
  secret: ["Agregue esta clave en su aplicación de verificación:", "Add this key to your authenticator app:"],
  openApp: ["Abrir en la aplicación de este equipo", "Open in this device's app"],
  code: ["Código de seis cifras", "Six-digit code"],
  confirm: ["Confirmar", "Confirm"],
  enabled: ["La verificación en dos pasos está activada.", "Two-step verification is on."],
  disabled: ["La verificación en dos pasos está desactivada.", "Two-step verification is off."],
});

export function SecurityDialog({ forced = false, onDone }: { forced?: boolean; onDone?: () => void }) {
  const close = (): void => { if (!forced) securityOpen.value = false; };
  return (
    <Dialog title={t("title")} onClose={close}>
      {forced && <p class="muted">{t("must")}</p>}
      <Password onDone={() => { close(); onDone?.(); }} />
      {!forced && <Totp />}
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
      <Field label={t("new")} type="password" value={next} onInput={setNext} hint={t("newHint")} attributes={{ autocomplete: "new-password" }} />
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
        <>
          <p>{t("secret")}</p>
          <code class="secret">{offer.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          <a href={offer.uri}>{t("openApp")}</a>
        </>
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
