import { texts } from "../kit/i18n";

export const t = texts({
  title: ["Ingresar", "Sign in"],
  lead: ["Centro de contacto", "Contact centre"],
  user: ["Usuario", "User name"],
  password: ["Contraseña", "Password"],
  show: ["Mostrar la contraseña", "Show the password"],
  hide: ["Ocultar la contraseña", "Hide the password"],
  code: ["Código de verificación", "Verification code"],
  codeHint: ["Seis cifras, de su aplicación de verificación.", "Six digits, from your authenticator app."],
  enter: ["Ingresar", "Sign in"],
  oidc: ["Ingresar con {title}", "Sign in with {title}"],
  or: ["o con su usuario", "or with your user name"],
  back: ["Usar otra cuenta", "Use another account"],
  help: ["¿Olvidó su contraseña? Pida una nueva a la persona que administra las cuentas.", "Forgot your password? Ask whoever administers the accounts for a new one."],
  oidcFailed: ["No se completó el ingreso con su organización. Intente otra vez.", "Signing in with your organisation did not complete. Try again."],
  state: ["Estado de la plataforma", "State of the platform"],
});
