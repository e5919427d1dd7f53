"""What is wrong with a flow, in Spanish for who edits it in the page; see `mistakes_es`."""

from __future__ import annotations

import re

from softphone_web.mistakes_es import Table, told

_THINGS = {
    "flow": "el flujo", "node": "el nodo", "variable": "la variable", "queue": "la cola", "calendar": "el horario",
    "skill": "la habilidad", "bot": "el bot", "system": "el sistema",
}  # fmt: skip
_MESSAGES: Table = (
    (r"(?P<field>\S+) is empty", "{field} está vacío"),
    (r"(?P<field>\S+) is missing", "falta {field}"),
    (r"(?P<field>\S+) is (?P<value>'.*'|a list|a mapping|something else|\S+)", "{field} es {value}"),
    (r"unknown field '(?P<name>.*)'", "el campo «{name}» no existe aquí"),
    (r"unknown kind '(?P<name>.*)'", "no existe la clase de nodo «{name}»"),
    (r"there is no (?P<thing>[a-z]+) '(?P<name>.*)'", "no existe {thing} «{name}»"),
    (r"'(?P<name>.*)' is no node id", "«{name}» no sirve como código de nodo"),
    (r"node '(?P<name>.*)' has no fields", "el nodo «{name}» no tiene campos"),
    (r"node '(?P<name>.*)' has no kind", "el nodo «{name}» no dice su clase (kind)"),
    (
        r"(?P<field>\S+): the default does not fit the type: (?P<rest>.*)",
        "{field}: el valor inicial no corresponde al tipo",
    ),
    (r"(?P<field>\S+): '(?P<name>.*)' is a word of the language", "{field}: «{name}» es una palabra del lenguaje"),
    (r"(?P<field>\S+): (?P<what>\w+) is not allowed in texts", "{field}: «{what}» no se permite en los textos"),
    (
        r"(?P<field>\S+): (?P<what>\w+) is not allowed in expressions",
        "{field}: «{what}» no se permite en las expresiones",
    ),
    (r"(?P<field>\S+): not an expression: (?P<rest>.*)", "{field}: no es una expresión ({rest})"),
    (r"(?P<field>\S+): not a template: (?P<rest>.*)", "{field}: no es una plantilla de texto ({rest})"),
    (
        r"(?P<field>\S+): a prompt is a file, a text, both .*, a tone, or a value said as (?P<all>.*)",
        "{field}: un mensaje es un archivo, un texto, ambos, un tono o un valor dicho como {all}",
    ),
    (r"not a flow", "no es un flujo"),
    (r"nodes is empty", "nodes está vacío"),
    (r"the file is too large", "el archivo es demasiado grande"),
    (r"not YAML: (?P<rest>.*)", "no es YAML: {rest}"),
    (r"flow '(?P<name>.*)' is already in (?P<owner>.*)", "el flujo «{name}» ya está en {owner}"),
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
)
_HINTS: Table = (
    (r"one of (?P<all>.*)", "uno de: {all}"),
    (r"a node id", "el código de un nodo"),
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


def message_in_spanish(message: str) -> str:
    return told(message, _MESSAGE_TABLE, _word)


def hint_in_spanish(expected: str) -> str:
    return told(expected, _HINT_TABLE, _word)


def _word(group: str, value: str) -> str:
    if group == "thing":
        return _THINGS.get(value, value)
    if group == "value":
        return _VALUES.get(value, value.replace("'", "«", 1).replace("'", "»", 1))
    if group == "all":
        return value.replace("'", "").replace(" or ", " o ")
    return value
