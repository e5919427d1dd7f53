"""What is wrong with a flow, in Spanish for who edits it in the page; see `mistakes_es`."""

from __future__ import annotations

import re

from softphone_web.mistakes_es import YAML, Table, told

_THINGS = {
    "flow": "el flujo", "node": "el nodo", "variable": "la variable", "queue": "la cola", "calendar": "el horario",
    "skill": "la habilidad", "agent": "el agente", "phone": "el teléfono", "secret": "el secreto",
    "criticality": "la criticidad", "bot": "el bot", "system": "el sistema",
}  # fmt: skip
_MESSAGES: Table = (
    (r"(?P<field>\S+) is empty", "{field} está vacío"),
    (r"(?P<field>\S+) is missing", "falta {field}"),
    (r"prompts is missing, here or at each option", "falta prompts, aquí o en cada opción"),
    (r"max_digits is missing \(or say what the keys are: as\)", "falta max_digits (o diga qué son las teclas: as)"),
    (r"comfort_every_s is missing: .*", "falta comfort_every_s: cada cuánto se interrumpe la música"),
    (r"then is missing: .*", "falta then: adónde va quien llama si nadie contesta"),
    (r"min_digits is greater than max_digits", "min_digits es mayor que max_digits"),
    (r"a value is either text or expr", "un valor es text o expr, no ambos"),
    (
        r"a transfer leads to one of number, phone, agent or flow",
        "una transferencia lleva a uno: number, phone, agent o flow",
    ),
    (r"a url begins with .*", "una url empieza con http(s)://host/, o system dice de quién es la ruta"),
    (r"behind a system the url begins with /", "con system, la url empieza con /"),
    (r"unknown field '(?P<name>.*)'", "el campo «{name}» no existe aquí"),
    (r"unknown kind '(?P<name>.*)'", "no existe la clase de nodo «{name}»"),
    (r"there is no (?P<thing>[a-z]+) '(?P<name>.*)'", "no existe {thing} «{name}»"),
    (r"'(?P<name>.*)' is no node id", "«{name}» no sirve como código de nodo"),
    (r"node '(?P<name>.*)' has no fields", "el nodo «{name}» no tiene campos"),
    (r"node '(?P<name>.*)' has no kind", "el nodo «{name}» no dice su clase (kind)"),
    (r"the default does not fit the type: (?P<message>.*)", "el valor inicial no corresponde al tipo: {message}"),
    (r"'(?P<name>.*)' is a word of the language", "«{name}» es una palabra del lenguaje"),
    (r"'(?P<name>.*)' has no fields, only call has", "«{name}» no tiene campos; solo call los tiene"),
    (r"(?P<what>\w+) is not allowed in texts", "«{what}» no se permite en los textos"),
    (r"(?P<what>\w+) is not allowed in expressions", "«{what}» no se permite en las expresiones"),
    (r"unknown filter '(?P<name>.*)'; there are (?P<all>.*)", "no existe el filtro «{name}»; hay: {all}"),
    (r"unknown test '(?P<name>.*)'; there are (?P<all>.*)", "no existe la prueba «{name}»; hay: {all}"),
    (r"unknown function; there are (?P<all>.*)", "no existe esa función; hay: {all}"),
    (r"functions take no named arguments", "las funciones no llevan argumentos con nombre"),
    (
        r"the (?:text|expression) has (?P<n>\S+) characters, at most (?P<most>\S+) are taken",
        "tiene {n} caracteres; se admiten {most}",
    ),
    (
        r"the expression is too long: set variables on the way",
        "la expresión es demasiado larga: use variables intermedias",
    ),
    (r"not an expression: (?P<rest>.*)", "no es una expresión ({rest})"),
    (r"not a template: (?P<rest>.*)", "no es una plantilla de texto ({rest})"),
    (
        r"a prompt is a file, a text, both .*, a tone, or a value said as (?P<all>.*)",
        "un mensaje es un archivo, un texto, ambos, un tono o un valor dicho como {all}",
    ),
    (r"a text has at most (?P<n>\S+) characters", "un texto tiene como máximo {n} caracteres"),
    (r"not digits", "no son cifras"),
    (r"not a whole number", "no es un número entero"),
    (r"not a number", "no es un número"),
    (r"too long for a number", "es demasiado largo para un número"),
    (r"numbers go up to (?P<n>\S+)", "los números llegan hasta {n}"),
    (r"'(?P<name>.*)' is neither true nor false", "«{name}» no es ni verdadero ni falso"),
    (r"'(?P<name>.*)' is not a number", "«{name}» no es un número"),
    (r"a (?P<what>\S+) is no (?P<type>\S+)", "{what} no sirve como {type}"),
    (r"(?P<field>\S+) is (?P<value>'.*'|a list|a mapping|something else|\S+)", "{field} es {value}"),
    (r"not a flow", "no es un flujo"),
    (r"(?P<n>\S+) nodes", "tiene {n} nodos"),
    (r"the file cannot be read: (?P<rest>.*)", "no se puede leer el archivo ({rest})"),
    (r"flow '(?P<name>.*)' is already in (?P<owner>.*)", "el flujo «{name}» ya está en {owner}"),
    # the text itself
    (r"the file is too large", "el archivo es demasiado grande"),
    (r"too many open brackets", "hay demasiados paréntesis abiertos"),
    (r"nested too deeply", "hay demasiados niveles"),
    (r"too many values", "hay demasiados valores"),
    (r"a second document", "hay un segundo documento (---)"),
    (r"alias (?P<name>\S+)", "la referencia {name}"),
    (r"anchor (?P<name>\S+)", "la marca {name}"),
    (r"tag (?P<name>\S+)", "la etiqueta {name}"),
    (r"a control character or half a surrogate pair", "hay un carácter que no se puede mostrar"),
    (r"a list or mapping as a key", "hay una lista o un grupo como clave"),
    (r"'(?P<name>.*)' is already given in line (?P<line>\S+)", "«{name}» ya está en la línea {line}"),
    (r"byte (?P<byte>\S+) is not UTF-8", "el byte {byte} no es UTF-8"),
    (r"not YAML", "no es YAML"),
    (r"not YAML: (?P<rest>.*)", "no es YAML: {rest}"),
    # doubts
    (r"callers cannot ask for a person: person is not given", "quien llama no puede pedir una persona: falta person"),
    (
        r"after a fault callers hear an apology and are hung up",
        "tras una falla, quien llama oye una disculpa y se le cuelga: falta on_error",
    ),
    (
        r"prompt (?P<file>\S+) is not recorded and has no text: callers hear nothing",
        "el mensaje {file} no está grabado ni tiene texto: quien llama no oye nada",
    ),
    (
        r"from (?P<node>\S+) no way leads to a person, a message or a callback",
        "desde {node} ningún camino lleva a una persona, a un mensaje de voz ni a una devolución de llamada",
    ),
    (r"calendar (?P<name>\S+) has no open hour", "el horario {name} no abre nunca"),
    (
        r"a call has no fact '(?P<name>.*)': it is read as empty; there are (?P<all>.*)",
        "la llamada no tiene el dato «{name}»: se lee vacío; hay: {all}",
    ),
    (r"item is empty here: .*", "aquí item está vacío: solo lo tiene lo que un nodo recorre o consulta"),
    (r"option (?P<key>\S+) is chosen by '(?P<name>.*)', too", "«{name}» elige también la opción {key}"),
    (
        r"case '(?P<name>.*)' is never reached: '(?P<other>.*)' is the same",
        "el caso «{name}» nunca se alcanza: es igual a «{other}»",
    ),
    (
        r"question '(?P<name>.*)' is asked twice: .*",
        "la pregunta «{name}» está dos veces: no se sabría de cuál es cada respuesta",
    ),
    (
        r"answer (?P<key>\S+) takes the place of the key for a person in this question",
        "en esta pregunta la respuesta {key} ocupa la tecla para pedir una persona",
    ),
    (
        r"(?P<name>\S+) takes the place of the key for a person in this question",
        "en esta pregunta {name} ocupa la tecla para pedir una persona",
    ),
    (
        r"exit (?P<key>\S+) takes the place of the key for a person in this queue",
        "en esta cola la tecla {key} ocupa la tecla para pedir una persona",
    ),
    (r"accept and refuse are the same key", "accept y refuse son la misma tecla"),
    (r"'(?P<name>.*)' is no name of a queue .*", "«{name}» no sirve como nombre de cola (minúsculas, cifras, _ o -)"),
    (r"nodes is a list", "nodes es una lista"),
    (r"what is equal is written ==, what differs !=", "lo igual se escribe ==, lo distinto !="),
    (
        r"not an expression: conditions are joined by and, or",
        "no es una expresión: únalas con and u or",
    ),
    (r"not an expression: what differs is written !=", "no es una expresión: lo distinto se escribe !="),
    (r"not an expression: what is not so is written not", "no es una expresión: lo que no es se escribe not"),
    (r"not an expression: what is equal is written ==", "no es una expresión: lo igual se escribe =="),
    (r"not an expression: quotes that are not closed", "no es una expresión: falta cerrar unas comillas"),
    (r"(?P<name>\S+) is (?P<type>text|digits|integer|number|boolean): (?P<message>.*)", "{name} es {type}: {message}"),
    (r"a tab character", "hay un tabulador"),
    (r"a colon where none can stand", "hay dos puntos (:) donde no pueden ir"),
    (r"a key without a value", "hay una clave sin valor"),
    (r"a bracket that is not closed", "hay un paréntesis sin cerrar"),
    (r"quotes that are not closed", "hay comillas sin cerrar"),
    (r"a character that cannot begin a value", "hay un signo con el que no puede empezar un valor"),
    (r"a line that stands apart from its block", "hay una línea fuera de su grupo"),
    (r"nothing leads to (?P<node>\S+)", "nada lleva a {node}"),
    (
        r"from (?P<node>\S+) no way leads to a queue or hang-up: only the limits end it",
        "desde {node} ningún camino lleva a una cola ni a colgar: solo los límites lo terminan",
    ),
    (r"(?P<name>\S+) is read and never set", "{name} se lee y nunca recibe un valor"),
    (r"(?P<name>\S+) is not used", "{name} no se usa"),
    (r"(?P<n>\S+) options; people keep at most (?P<most>\S+) in mind", "{n} opciones; la gente recuerda hasta {most}"),
    (
        r"option (?P<key>\S+) takes the place of the key for a person in this menu",
        "en este menú la opción {key} ocupa la tecla para pedir una persona",
    ),
    (
        r"(?P<key>\S+) alone asks for a person here; `person: false` makes it an answer",
        "aquí {key} sola pide una persona; con `person: false` es una respuesta",
    ),
    (
        r"the caller's own number is written by strangers; .*",
        "el número de quien llama lo escribe un desconocido; lo que se marca debe estar en la lista permitida de pbx",
    ),
    (
        r"header (?P<name>\S+) holds what looks like a secret, .*",
        "la cabecera {name} parece llevar un secreto a la vista; póngalo en secrets",
    ),
    (r"(?P<name>\S+) looks like a secret in plain text", "{name} parece un secreto a la vista"),
    (r"the url holds what looks like a secret; .*", "la url parece llevar un secreto; envíelo como cabecera"),
    (
        r"http:// sends the caller's data in the clear; use https://",
        "http:// envía a la vista los datos de quien llama; use https://",
    ),
    *YAML,
)
_HINTS: Table = (
    (r"one of (?P<all>.*)", "uno de: {all}"),
    (r"a node id(?: \(.*\))?", "el código de un nodo (minúsculas, cifras, _ o -)"),
    (r"a variable's name \(.*\)", "el nombre de una variable (minúsculas, cifras o _)"),
    (r"a language such as es or es-EC", "un idioma, como es o es-EC"),
    (r"one flow a file", "un solo flujo por archivo"),
    (r"the value itself", "el valor mismo"),
    (r"printable text", "texto que se pueda mostrar"),
    (r"no anchors", "nada con &"),
    (r"no tags", "nada con !"),
    (r"a word", "una palabra"),
    (r"UTF-8 text", "texto en UTF-8"),
    (r"a name under variables, or call\.<fact>", "un nombre de variables, o call.<dato>"),
    (r"lower-case letters, digits, _ or -", "minúsculas, cifras, _ o -"),
    (r"one key: a digit, \* or #", "una tecla: una cifra, * o #"),
    (r"mon, tue, .*", "mon, tue, wed, thu, fri, sat o sun, o de uno a otro: mon-fri"),
    (r"hours such as (?P<all>\S+)", "horas como {all}"),
    (r"a day such as (?P<all>\S+)", "un día como {all}"),
    (r"a header's name \(.*\)", "el nombre de una cabecera (letras, cifras o -)"),
    (r"a status of three digits such as (?P<n>\S+)", "un estado de tres cifras, como {n}"),
    (r"where it stands in the answer: .*", "dónde está en la respuesta: cuentas.0.saldo, con # para contar"),
    (r"a value for (?P<n>\S+)", "un valor de tipo {n}"),
    (r"a name under calendars", "un nombre de calendars"),
    (r"spaces", "espacios"),
    (r"a key a line, or the text in quotes", "una clave por línea, o el texto entre comillas"),
    (r"key: value", "clave: valor"),
    (r"its closing bracket", "el paréntesis que lo cierra"),
    (r"closing quotes", "comillas que cierren"),
    (r"the value in quotes", "el valor entre comillas"),
    (r"the same indentation", "la misma sangría"),
    (r"a whole number", "un número entero"),
    (r"a number", "un número"),
    (r"a text", "un texto"),
    (r"a list", "una lista"),
    (r"a mapping", "claves con valores"),
    (r"true or false", "true o false"),
    (r"at least (?P<n>\S+)", "{n} o más"),
    (r"at most (?P<n>\S+)(?P<unit> characters| levels| kB)?", "{n} como máximo"),
    (r"more than (?P<n>\S+)", "más de {n}"),
    (r"less than (?P<n>\S+)", "menos de {n}"),
    (r"a prompt's name \(.*\)", "el nombre de un mensaje (minúsculas, cifras, _, - o /)"),
    (r"a mapping with id, entry and nodes", "id, entry y nodes"),
    (r"nodes by their id", "los nodos, por su código"),
    (r"(?P<all>'.*' or '.*')", "uno de: {all}"),
)
_VALUES = {"a list": "una lista", "a mapping": "claves con valores", "something else": "otra cosa"}
_MESSAGE_TABLE = tuple((re.compile(pattern), said) for pattern, said in _MESSAGES)
_HINT_TABLE = tuple((re.compile(pattern), said) for pattern, said in _HINTS)


_PREFIX = re.compile(r"([^\s:]+): (.+)", re.S)


def message_in_spanish(message: str) -> str:
    """The sentence in Spanish, behind the place in the node that it may begin with; the same one when not known."""
    said = told(message, _MESSAGE_TABLE, _word)
    if said == message and (found := _PREFIX.fullmatch(message)):
        return f"{found[1]}: {message_in_spanish(found[2])}"
    return said


def hint_in_spanish(expected: str) -> str:
    return told(expected, _HINT_TABLE, _word)


def _word(group: str, value: str) -> str:
    if group == "thing":
        return _THINGS.get(value, value)
    if group == "message":
        return message_in_spanish(value)
    if group == "value":
        return _VALUES.get(value, value.replace("'", "«", 1).replace("'", "»", 1))
    if group == "all":
        return value.replace("'", "").replace(" or ", " o ")
    return value
