"""What is wrong with an organisation's text, in Spanish for who writes it in the page. The checks themselves speak
English, as all code does; a sentence that is not in the table stays as it is (a test holds the table against them)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Table: TypeAlias = tuple[tuple[str, str], ...]

_KINDS: Mapping[str, str] = {
    "skill": "la habilidad",
    "queue": "la cola",
    "calendar": "el horario",
    "team": "el equipo",
    "capacity": "la capacidad",
    "disposition": "el resultado",
    "contact reason": "el motivo de contacto",
    "agent": "el agente",
}
_PLURALS = {
    "queues": "colas", "teams": "equipos", "agents": "agentes", "skills": "habilidades", "calendars": "horarios",
}  # fmt: skip
_FOUND = {
    "nothing": "nada", "true or false": "sí o no", "a number": "un número", "text": "un texto",
    "another word": "otra palabra", "a fraction": "un número con decimales",
    "a section": "una sección", "a list": "una lista", "a whole number": "un número entero",
    "text (put it in quotes)": "un texto (póngalo entre comillas)",
    "a section with keys of its own": "una sección con claves propias",
}  # fmt: skip
_WHEN = {
    "time": "tiempo", "length": "longitud", "expected_wait": "espera prevista", "closed": "cerrado",
    "no_agents": "sin agentes",
}  # fmt: skip

# What both readers of YAML say of text that is none.
YAML: Table = (
    (
        r"mapping values are not allowed (?:in this context|here).*",
        "aquí no puede ir «:»; ¿faltan comillas o la sangría?",
    ),
    (r"(?:could not find|did not find) expected ':'.*", "falta «:» después de la clave"),
    (r"(?:could not find|did not find) expected '-' indicator.*", "aquí va otro elemento de la lista: «-»"),
    (r"did not find expected key.*", "aquí va una clave; revise la sangría"),
    (r"(?:did not find )?expected ',' or '\]'.*", "falta «,» o «]»"),
    (r"(?:did not find )?expected ',' or '\}'.*", "falta «,» o «}}»"),
    (r"(?:did not find )?expected <block end>.*", "la sangría no corresponde con las líneas de arriba"),
    (r"did not find expected .*", "la sangría o un signo no corresponde"),
    (r"found character '\\?t' that cannot start any token.*", "hay un tabulador; use espacios"),
    (
        r"found character .* that cannot start any token.*",
        "hay un signo que aquí no puede empezar un valor: ponga comillas",
    ),
    (r"found unexpected end of stream.*", "falta cerrar unas comillas"),
    (r"found (?:undefined|duplicate) (?:alias|anchor).*", "hay una referencia (& o *) que no vale"),
    (r"found unknown escape character.*", "hay una «\\» que no se entiende; use comillas simples"),
    (
        r"a second document begins here \(---\); a file is one document",
        "aquí empieza otro documento (---); solo va uno",
    ),
    (r"found .*", "hay un signo que no va aquí"),
    (r"while (?:parsing|scanning) .*", "el texto se corta o la sangría no corresponde"),
    (r"(?:block sequence entries|block mapping|document start|document end) .*", "la sangría no corresponde"),
)

# Groups named `kind`, `plural`, `found`, `expected` and `when` are words of the tables above; others stay as written.
_SENTENCES: Table = (
    (r"unknown (?P<kind>[a-z ]+) ''", "falta elegir {kind}"),
    (r"unknown (?P<kind>[a-z ]+) '(?P<name>.*)'", "no existe {kind} «{name}»"),
    (r"there are two (?P<plural>[a-z]+) '(?P<name>.*)'", "hay dos {plural} «{name}»"),
    (r"one alone weighs more than `total`", "uno solo pesa más que `total`"),
    (r"nobody can fulfil this: its parts contradict each other", "nadie puede cumplirlo: sus partes se contradicen"),
    (
        r"nobody who works in this queue can fulfil '(?P<need>.*)'",
        "nadie de quienes atienden esta cola puede cumplir «{need}»",
    ),
    (
        r"with this nobody can take anything: no limit above 0",
        "con esto nadie puede atender nada: no hay ningún límite mayor que 0",
    ),
    (
        r"'(?P<word>.*)' is a word of expressions and cannot be a skill",
        "«{word}» es una palabra de las expresiones y no puede ser una habilidad",
    ),
    (r"the document is empty; nothing is changed by it", "el documento está vacío; no se cambia nada"),
    (
        r"this would remove all of them; `rimay apply --empty` does, if it is meant",
        "esto los quitaría todos; si es lo que quiere, hágalo con «rimay apply --empty»",
    ),
    (r"cannot be read: (?P<why>.*)", "no se puede leer: {why}"),
    (r"shorter than `wrap_up_s`", "es menor que `wrap_up_s`"),
    (r"there are no `dispositions` to choose from", "no hay resultados (`dispositions`) entre los que elegir"),
    (r"each ring begins later than the one before it", "cada paso empieza después del anterior"),
    (r"never reached: the queue gives up after (?P<s>\S+) s", "nunca se llega: la cola desiste a los {s} s"),
    (r"never reached: the queue is full at (?P<n>\d+)", "nunca se llega: la cola se llena con {n}"),
    (r"'(?P<name>.*)' is loosened and dropped in the same ring", "«{name}» se rebaja y se quita en el mismo paso"),
    (r"this ring relaxes nothing", "este paso no relaja nada"),
    (
        r"two rules for (?P<when>\w+): only one can be followed",
        "hay dos reglas para «{when}»: solo se puede seguir una",
    ),
    (r"a queue without a calendar is never closed", "una cola sin horario nunca está cerrada"),
    (r"a circle of overflows: (?P<circle>.*)", "los desbordes dan vueltas: {circle}"),
    (r"there is no time zone '(?P<name>.*)'", "no existe la zona horaria «{name}»"),
    (r"this calendar has no open hour", "este horario no tiene ninguna hora abierta"),
    (r"there are (?P<names>[a-z]+(?:, [a-z]+)*)", "se puede elegir entre: {names}"),
    (r"(?P<hours>.*): the hours of a day must follow each other", "{hours}: las horas de un día deben ir en orden"),
    (r"'(?P<hours>.*)' is not of the form 08:00-13:00", "«{hours}» no tiene la forma 08:00-13:00"),
    (
        r"(?P<hours>.*): it must end after it begins, at 24:00 at the latest \(split a night in two days\)",
        "{hours}: debe terminar después de empezar, a las 24:00 como máximo (divida la noche en dos días)",
    ),
    (r"(?P<day>.*): a day is given twice", "{day}: un día está repetido"),
    (
        r"'(?P<day>.*)' is no weekday, no span like mon-fri and not all",
        "«{day}» no es un día (mon, tue…), ni un tramo como mon-fri, ni all",
    ),
    (
        r"a name is lower-case letters, digits, - and _, beginning with a letter",
        "un código lleva minúsculas, cifras, - y _, y empieza con una letra",
    ),
    (
        r"a name is at most 32 lower-case letters, digits, - and _",
        "un código lleva minúsculas, cifras, - y _, y 32 como máximo",
    ),
    (r"must be a finite number", "debe ser un número finito"),
    (r"too many brackets", "demasiados paréntesis"),
    (r"too many 'not'", "demasiados «not»"),
    (r"a bracket is not closed", "falta cerrar un paréntesis"),
    (r"a skill is expected(?:, not '(?P<word>.*)')?", "aquí va una habilidad"),
    (r"a level \(a whole number\) is expected", "aquí va un nivel (un número entero)"),
    (
        r"'=' compares nothing here: write >= for this level or more, == for exactly this one",
        "«=» no compara aquí: escriba >= para ese nivel o más, == para ese nivel exacto",
    ),
    (
        r"'(?P<word>.*)' is not understood here: skills and words are written in lower case",
        "aquí no se entiende «{word}»: las habilidades y palabras van en minúsculas",
    ),
    (r"'(?P<word>.*)' is not understood here", "aquí no se entiende «{word}»"),
    (r"longer than (?P<n>\d+) characters", "tiene más de {n} caracteres"),
    (r"'and' or 'or' is expected before '(?P<word>.*)'", "falta «and» u «or» antes de «{word}»"),
    (r"this required key is missing", "falta esta clave obligatoria"),
    (r"unknown key; known here: (?P<names>.*)", "clave desconocida; aquí se conocen: {names}"),
    (r"unknown key", "clave desconocida"),
    (r"YAML: a character that is not allowed in text", "YAML: hay un carácter que no se permite en un texto"),
    (r"YAML: (?P<yaml>.*)", "YAML: {yaml}"),
    (r"there is no such place in the settings", "no existe ese lugar en los ajustes"),
    (r"this alias contains itself", "esta referencia se contiene a sí misma"),
    (r"more than (?P<n>\S+) values; do aliases multiply\?", "más de {n} valores; ¿se multiplican las referencias?"),
    (r"duplicate key, first set in line (?P<line>\S+)", "clave repetida; ya está en la línea {line}"),
    (r"a tag that settings do not know", "una etiqueta (!) que aquí no se conoce"),
    (r"a value that does not fit its tag", "un valor que no corresponde a su etiqueta (!)"),
    (r"a key must be one word", "una clave es una sola palabra"),
    (r"must be greater than or equal to (?P<n>\S+)", "debe ser {n} o más"),
    (r"must be less than or equal to (?P<n>\S+)", "debe ser {n} o menos"),
    (r"must be greater than (?P<n>\S+)", "debe ser más de {n}"),
    (r"must be less than (?P<n>\S+)", "debe ser menos de {n}"),
    (r"must have at most (?P<n>\d+) characters?", "debe tener como máximo {n} caracteres"),
    (r"must have at least (?P<n>\d+) characters?", "debe tener al menos {n} caracteres"),
    (r"expected 'key: value' lines at the top", "arriba van líneas como «clave: valor»"),
    (r"expected (?P<expected>.+), found (?P<found>.+)", "aquí va {expected}, y hay {found}"),
    (r"expected (?P<names>.+)", "se puede elegir entre: {names}"),
)
_TABLE = tuple((re.compile(pattern), said) for pattern, said in _SENTENCES)
_YAML_TABLE = tuple((re.compile(pattern, re.S), said) for pattern, said in YAML)
_COLUMN = re.compile(r" \(column (\d+) of the expression\)$")


def in_spanish(message: str) -> str:
    """The sentence in Spanish; the same one when it is not known."""
    column = _COLUMN.search(message)
    if column is None:
        return told(message, _TABLE, _word)
    return told(message[: column.start()], _TABLE, _word) + f" (columna {column[1]} de la expresión)"


def told(message: str, table: Sequence[tuple[re.Pattern[str], str]], word: Callable[[str, str], str]) -> str:
    """By the first pattern that is all of the message; its named groups go through `word`."""
    for pattern, said in table:
        if found := pattern.fullmatch(message):
            return said.format(**{name: word(name, value or "") for name, value in found.groupdict().items()})
    return message


def _word(group: str, value: str) -> str:
    match group:
        case "kind":
            return _KINDS.get(value, value)
        case "plural":
            return _PLURALS.get(value, value)
        case "found" | "expected":
            return _FOUND.get(value, value.replace("'", "").replace(" or ", " o "))
        case "when":
            return _WHEN.get(value, value)
        case "yaml":
            known = told(value, _YAML_TABLE, _word)
            return known if known != value else "no se puede leer"
        case _:
            return value
