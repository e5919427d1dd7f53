import "./signin.css";
import { Eye, EyeOff, LogIn } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../kit/api";
import { Button } from "../kit/button";
import { Field } from "../kit/field";
import { language, setLanguage } from "../kit/i18n";
import { Problem, sentence } from "../kit/problem";
import { SecurityDialog } from "../kit/security";
import { loadSession, session, sessionState, signIn } from "../kit/session";
import { homeOf } from "../kit/shell";
import { Skeleton } from "../kit/states";
import { Toasts } from "../kit/toast";
import { useBusy } from "../kit/use";
import { t } from "./texts";

interface Methods {
  password: boolean;
  oidc: { title: string; href: string } | null;
  organisation: string;
}

/** Where to go after signing in: only an address of this site. */
function next(): string {
  const asked = new URLSearchParams(location.search).get("next");
  if (asked && /^\/(?![/\\])/.test(asked)) return asked;
  return homeOf(session.value?.user.permissions ?? []);
}

export function SignIn() {
  const [methods, setMethods] = useState<Methods | null>(null);
  useEffect(() => {
    void loadSession();
    api.get<Methods>("/sign-in/methods").then(setMethods, () => setMethods({ password: true, oidc: null, organisation: "" }));
  }, []);
  const signedIn = sessionState.value === "in";
  const mustChange = session.value?.user.must_change_password ?? false;
  useEffect(() => {
    if (signedIn && !mustChange) location.replace(next());
  }, [signedIn, mustChange]);
  return (
    <div class="signin">
      <main class="signin-box">
        <header>
          <img src="/static/icon.svg" alt="" width="48" height="48" />
          <div>
            <h1>Rimay</h1>
            <p class="muted">{methods?.organisation || t("lead")}</p>
          </div>
        </header>
        {methods === null || sessionState.value === "loading" || (signedIn && !mustChange) ? <Skeleton lines={4} height={28} /> : <Ways methods={methods} />}
      </main>
      <footer>
        <a href="/estado">{t("state")}</a>
        <button type="button" class="link" lang={language.value === "es" ? "en" : "es"} onClick={() => setLanguage(language.value === "es" ? "en" : "es")}>
          {language.value === "es" ? "English" : "Español"}
        </button>
      </footer>
      {mustChange && <SecurityDialog forced />}
      <Toasts />
    </div>
  );
}

function Ways({ methods }: { methods: Methods }) {
  const failed = new URLSearchParams(location.search).has("error");
  return (
    <>
      {failed && <p class="signin-error" role="alert">{t("oidcFailed")}</p>}
      {methods.oidc && (
        <a class="button primary large" href={methods.oidc.href}>{t("oidc", { title: methods.oidc.title })}</a>
      )}
      {methods.oidc && methods.password && <p class="signin-or"><span>{t("or")}</span></p>}
      {methods.password && <PasswordForm main={methods.oidc === null} />}
    </>
  );
}

function PasswordForm({ main }: { main: boolean }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [step, setStep] = useState<"password" | "code">("password");
  const [error, setError] = useState<string | null>(null);
  const [shown, setShown] = useState(false);
  const [busy, run] = useBusy();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLInputElement>(step === "code" ? "[name=code]" : "[name=username]")?.focus(), [step]);
  const submit = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      setError(null);
      try {
        await signIn(username.trim(), password, step === "code" ? code.replace(/\s/g, "") : undefined);
      } catch (problem) {
        if (problem instanceof Problem && problem.code === "access.code_needed" && step === "password") setStep("code");
        else setError(sentence(problem));
      }
    });
  };
  return (
    <form ref={form} class="stack" onSubmit={submit}>
      {step === "password" ? (
        <>
          <Field label={t("user")} value={username} onInput={setUsername} attributes={{ name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: false, required: true }} />
          <div class="signin-password">
            <Field label={t("password")} type={shown ? "text" : "password"} value={password} onInput={setPassword} attributes={{ name: "password", autocomplete: "current-password", required: true }} />
            <Button kind="quiet" icon={shown ? EyeOff : Eye} label={shown ? t("hide") : t("show")} onClick={() => setShown(!shown)} />
          </div>
        </>
      ) : (
        <Field label={t("code")} hint={t("codeHint")} value={code} onInput={setCode} attributes={{ name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, required: true }} />
      )}
      {error && <p class="signin-error" role="alert">{error}</p>}
      <Button type="submit" kind={main ? "primary" : "plain"} size="large" icon={LogIn} busy={busy}>{t("enter")}</Button>
      {step === "code" ? (
        <button type="button" class="link" onClick={() => { setStep("password"); setCode(""); setError(null); }}>{t("back")}</button>
      ) : (
        <p class="muted small">{t("help")}</p>
      )}
    </form>
  );
}
