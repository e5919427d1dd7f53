// What goes wrong, as a sentence. The server's errors carry a stable code; here each becomes what a person can act on.
import { texts } from "./i18n";

export interface FieldProblem {
  where: string;
  field: string;
  code: string;
  message: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail = "",
    readonly facts: Record<string, unknown> = {},
    readonly errors: FieldProblem[] = [],
    readonly requestId = "",
    readonly retryAfter: number | null = null,
  ) {
    super(`${status} ${code}: ${detail}`);
  }
}

const t = texts({
  "network.down": ["No hay conexión con el servidor. Revise su red; lo intentaremos de nuevo.", "The server cannot be reached. Check your network; we will try again."],
  "network.timeout": ["El servidor tarda demasiado en responder. Intente otra vez.", "The server takes too long to answer. Try again."],
  "access.bad_credentials": ["El usuario o la contraseña no son correctos.", "The user name or the password is not right."],
  "access.code_needed": ["Escriba el código de su aplicación de verificación.", "Enter the code of your authenticator app."],
  "access.bad_code": ["Ese código no es válido. Espere el siguiente e intente otra vez.", "That code is not valid. Wait for the next one and try again."],
  "access.locked": ["Demasiados intentos. Espere {wait} e intente otra vez.", "Too many attempts. Wait {wait} and try again."],
  "users.own_lockout": ["Nadie levanta el bloqueo de su propia cuenta. Pídalo a otra persona que administra las cuentas.", "Nobody lifts the lock of their own account. Ask another administrator."],
  "users.own_account": ["Nadie desactiva su propia cuenta ni cambia su rol o su agente. Pídalo a otra persona que administra las cuentas.", "Nobody disables their own account or changes its role or agent. Ask another administrator."],
  "users.agent_taken": ["Ese agente ya tiene otra cuenta. Quíteselo primero a esa cuenta, o elija otro agente.", "That agent has another account already. Take it off that account first, or choose another agent."],
  "users.no_such_agent": ["Ese agente ya no consta en la organización. Elija otro.", "That agent is not in the organisation any more. Choose another one."],
  "users.username_taken": ["Ya hay una cuenta con ese nombre de usuario. Elija otro.", "There is an account of that user name already. Choose another one."],
  "customers.too_many_look_ups": ["Consultó muchos clientes seguidos. Espere {wait}.", "Many customers were looked up in a row. Wait {wait}."],
  "access.denied": ["Su rol no permite esta acción.", "Your role does not allow this."],
  "access.unauthenticated": ["Su sesión terminó. Ingrese otra vez.", "Your session has ended. Sign in again."],
  "access.weak_password": ["Esa contraseña es fácil de adivinar. Use {shortest} caracteres o más, que no sean solo su nombre o una palabra común.", "That password is easy to guess. Use {shortest} characters or more, and not only your name or a common word."],
  "phone.leg_down": ["Su teléfono no está conectado. Espere a que vuelva la conexión de audio.", "Your phone is not connected. Wait until the audio is back."],
  "wrap_up.disposition_required": ["Elija el resultado de la llamada primero.", "Choose the outcome of the call first."],
  "agent.busy": ["Tiene una llamada en curso, o le están ofreciendo una.", "You have a call in hand, or one is being offered to you."],
  "agent.signed_out": ["Está fuera de turno. Empiece su turno primero.", "You are signed out. Begin your shift first."],
  "agent.not_available": ["Esa persona no puede atender ahora.", "That person cannot take calls now."],
  "agent.not_available.reserved": ["A esa persona le está entrando otra llamada. Intente en un momento, o transfiera a la cola.", "Another call is ringing at that person. Try again in a moment, or transfer to the queue."],
  "agent.not_available.interacting": ["Esa persona está en otra llamada. Transfiera a la cola, o intente cuando termine.", "That person is on another call. Transfer to the queue, or try when they are done."],
  "agent.not_available.wrap_up": ["Esa persona está cerrando una llamada. Intente en un momento, o transfiera a la cola.", "That person is wrapping up a call. Try again in a moment, or transfer to the queue."],
  "agent.not_available.not_ready": ["Esa persona no está disponible. Transfiera a la cola o elija a alguien más.", "That person is not ready. Transfer to the queue or choose somebody else."],
  "agent.not_available.signed_out": ["Esa persona está fuera de turno. Transfiera a la cola o elija a alguien más.", "That person is signed out. Transfer to the queue or choose somebody else."],
  "access.no_agent": ["Su cuenta no está asociada a un agente. Pídalo a la persona que administra las cuentas.", "Your account names no agent. Ask whoever administers the accounts."],
  "call.refused": ["No se puede llamar a ese número.", "That number cannot be called."],
  "offer.over": ["La llamada ya no está disponible: otra persona la tomó o quien llamaba colgó.", "The call is gone: somebody else took it or the caller hung up."],
  "organisation.revision_moved": ["Otra persona guardó cambios mientras usted editaba. Revise la diferencia y guarde otra vez.", "Somebody else saved changes meanwhile. Look at the difference and save again."],
  "switch.unreachable": ["La central telefónica no responde en este momento.", "The switch does not answer right now."],
  "request.too_large": ["El texto es demasiado grande para el servidor. Divídalo, o pida que suban el límite (web.document_limit_bytes).", "The text is too large for the server. Divide it, or have the limit raised (web.document_limit_bytes)."],
  "403": ["Su rol no permite esta acción.", "Your role does not allow this."],
  "404": ["Ya no existe, o usted no puede verlo.", "It is not there any more, or you may not see it."],
  "409": ["El estado cambió mientras tanto. Revise la pantalla e intente otra vez.", "Things changed meanwhile. Look at the page and try again."],
  "422": ["Hay un dato que no es válido. Revise lo que escribió.", "Something entered is not valid. Check what you wrote."],
  "429": ["Demasiadas solicitudes seguidas. Espere {wait}.", "Too many requests. Wait {wait}."],
  "503": ["Un servicio no responde en este momento. Intente de nuevo en unos segundos.", "A service does not answer right now. Try again in a few seconds."],
  other: ["No se pudo completar la acción. Si se repite, dé este código a soporte: {id}", "This could not be done. If it happens again, give this code to support: {id}"],
  seconds: ["{n} segundos", "{n} seconds"],
  minutes: ["{n} min", "{n} min"],
  moment: ["un momento", "a moment"],
});

function wait(seconds: number | null): string {
  if (seconds === null) return t("moment");
  return seconds < 90 ? t("seconds", { n: Math.ceil(seconds) }) : t("minutes", { n: Math.ceil(seconds / 60) });
}

/** One sentence in the page's language for whatever was thrown. */
export function sentence(error: unknown): string {
  if (!(error instanceof Problem)) return t("other", { id: "page" });
  const { state, shortest } = error.facts; // of whom or what it was that could not be; of passwords
  for (const key of [`${error.code}.${String(state)}`, error.code, String(error.status)]) {
    const known = t.found(key, { wait: wait(error.retryAfter), shortest: String(shortest) });
    if (known !== null) return known;
  }
  return t("other", { id: error.requestId || error.code });
}
export const problemTexts = t;
