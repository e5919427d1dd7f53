"""What is wrong with a flow, in Spanish for who edits it in the page; see `mistakes_es`."""

from __future__ import annotations

import re

from softphone_web.mistakes_es import YAML, Table, told

_THINGS = {
    "flow": "el flujo", "node": "el nodo", "variable": "la variable", "queue": "la cola", "calendar": "el horario",
    "skill": "la habilidad", "bot": "el bot", "system": "el sistema",
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
        r"prompt (?P<file>\S+) has no text: until it is recorded, callers hear nothing",
        "el mensaje {file} no tiene texto: hasta que se grabe, quien llama no oye nada",
    ),
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
