/** All words of the citizen's page. It has its own small dictionary: the page must load on the slowest line. */

const es = {
  title: "Llame desde aquí",
  titleOf: "Llame a {name} desde aquí",
  lead: "Sin costo y sin instalar nada. Hablará con el mismo menú que por teléfono.",
  need: "Necesita un micrófono. Con audífonos se escucha mejor.",
  call: "Llamar",
  again: "Llamar otra vez",
  cancel: "Cancelar",
  hangUp: "Colgar",
  mute: "Silenciar mi micrófono",
  unmute: "Activar mi micrófono",
  keypad: "Teclado",
  keypadHint: "Pulse la opción que le indica el menú. También sirve el teclado de su computadora.",
  pressed: "Teclas pulsadas",
  time: "Duración de la llamada",
  checking: "Un momento…",
  asking: "Permita el uso del micrófono en el aviso de su navegador.",
  calling: "Llamando…",
  talking: "En llamada",
  muted: "Su micrófono está silenciado: no le escuchan.",
  ended: "La llamada terminó. Gracias por comunicarse con nosotros.",
  unoffered: "Desde esta página no se puede llamar. Por favor, llámenos por teléfono.",
  busy: "Todas nuestras líneas están ocupadas. Intente otra vez en un momento.",
  limited: "Ya se hicieron varias llamadas desde su conexión. Intente otra vez en un momento.",
  limitedIn: "Ya se hicieron varias llamadas desde su conexión. Intente otra vez dentro de {seconds} segundos.",
  unavailable: "En este momento no podemos recibir llamadas por esta página. Intente otra vez en unos minutos.",
  failed: "La llamada no se pudo establecer o se cortó. Revise su conexión a internet e intente otra vez.",
  deniedTitle: "Su navegador no permite usar el micrófono",
  denied1: "Pulse el icono que está junto a la dirección de esta página.",
  denied2: "En «Micrófono», elija «Permitir».",
  denied3: "Vuelva aquí y pulse «Llamar otra vez».",
  noMic: "No encontramos un micrófono. Conecte uno e intente otra vez.",
  unsupported: "Este navegador no puede hacer llamadas. Use una versión reciente de Chrome, Firefox, Edge o Safari.",
  privacy: "La llamada puede grabarse para cuidar la calidad de la atención.",
  language: "English",
};

type Texts = typeof es;

const en: Texts = {
  title: "Call from here",
  titleOf: "Call {name} from here",
  lead: "Free of charge, nothing to install. You get the same menu as by telephone.",
  need: "You need a microphone. Headphones sound better.",
  call: "Call",
  again: "Call again",
  cancel: "Cancel",
  hangUp: "Hang up",
  mute: "Mute my microphone",
  unmute: "Unmute my microphone",
  keypad: "Keypad",
  keypadHint: "Press the option that the menu tells you. Your computer's keyboard works too.",
  pressed: "Keys pressed",
  time: "Duration of the call",
  checking: "One moment…",
  asking: "Allow the use of the microphone when your browser asks.",
  calling: "Calling…",
  talking: "In a call",
  muted: "Your microphone is muted: nobody hears you.",
  ended: "The call is over. Thank you for contacting us.",
  unoffered: "Calls from this page are not offered. Please call us by telephone.",
  busy: "All our lines are busy. Please try again in a moment.",
  limited: "Several calls were already made from your connection. Please try again in a moment.",
  limitedIn: "Several calls were already made from your connection. Please try again in {seconds} seconds.",
  unavailable: "We cannot take calls from this page at the moment. Please try again in a few minutes.",
  failed: "The call could not be made or was cut. Check your internet connection and try again.",
  deniedTitle: "Your browser does not allow the microphone",
  denied1: "Press the icon beside the address of this page.",
  denied2: "At “Microphone”, choose “Allow”.",
  denied3: "Come back here and press “Call again”.",
  noMic: "We found no microphone. Connect one and try again.",
  unsupported: "This browser cannot make calls. Use a recent version of Chrome, Firefox, Edge or Safari.",
  privacy: "The call may be recorded to look after the quality of our service.",
  language: "Español",
};

export type Language = "es" | "en";
export type Key = keyof Texts;

const TEXTS: Record<Language, Texts> = { es, en };

export const words =
  (language: Language) =>
  (key: Key, values: Record<string, string | number> = {}): string =>
    TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));

export const languageOf = (preferred: readonly string[]): Language =>
  /^en\b/i.test(preferred.find((one) => /^(es|en)\b/i.test(one)) ?? "es") ? "en" : "es";
