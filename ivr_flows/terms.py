"""The words of a flow file as types. A field's type tells the loader what it means: which text is a template, which
word names a node or a variable. So a new node kind gets its checks, lints and drawing from its field types alone."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from ivr_flows import expressions, templates
from ivr_flows.amounts import decimal_of
from ivr_flows.source import Path as Place
from ivr_flows.speech.saying import SAYINGS

Scalar = str | int | float | bool
Part = TypeVar("Part")

DAYS = r"^(mon|tue|wed|thu|fri|sat|sun)(?:-(mon|tue|wed|thu|fri|sat|sun))?$"
HOURS = r"^([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)$"
DATE = r"^\d{4}-\d\d-\d\d$"
HEADER = r"^[A-Za-z][A-Za-z0-9-]{0,60}$"
STATUS = r"^[1-5][0-9]{2}$"
# Where an answer is looked at: ``cuentas.0.saldo``; ``#`` counts a list.
ANSWER_PATH = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.#)?$|^#$"
NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
# Marks in the JSON schemas of what our types mean.
WORD = "x-word"
SHORT = "x-short"
_RESERVED = frozenset(
    {"call", "item", "true", "false", "none", *keyword.kwlist, *expressions.FUNCTIONS, *templates.TESTS}
)


class Word(str):
    """A text with a meaning; the base of those below."""

    __slots__ = ()
    pattern: ClassVar[str] = r"^[^\x00]*$"

    @classmethod
    def problem(cls, text: str) -> str:
        return ""

    @classmethod
    def _read(cls, text: str) -> Word:
        if problem := cls.problem(text):
            # The message is a template of pydantic's own, hence the detour by the context.
            raise PydanticCustomError("word", "{problem}", {"problem": problem})
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(pattern=cls.pattern, max_length=templates.MAX_TEMPLATE)
        return core_schema.no_info_after_validator_function(cls._read, text)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), WORD: cls.__name__}


class NodeRef(Word):
    """The id of a node to go on with."""

    __slots__ = ()
    pattern = r"^[a-z][a-z0-9_-]{0,63}$"


class FlowName(Word):
    """The id of a flow to go on in."""

    __slots__ = ()
    pattern = NAME


class VariableRef(Word):
    """The name of a variable that is written."""

    __slots__ = ()
    pattern = r"^[a-z][a-z0-9_]{0,39}$"

    @classmethod
    def problem(cls, text: str) -> str:
        return f"{text!r} is a word of the language" if text in _RESERVED else ""


class CalendarRef(Word):
    """The name of one of the flow's calendars."""

    __slots__ = ()
    pattern = NAME


class Reading(Word):
    """A text that reads values of the call; the base of the two that follow. `understood_by` is the module of each."""

    __slots__ = ()
    understood_by: ClassVar[Any]

    @classmethod
    def problem(cls, text: str) -> str:
        found: str = cls.understood_by.problem_of(text)
        return found

    def names(self) -> frozenset[str]:
        """The variables that it reads; ``call`` and ``item``, where it reads something of them."""
        found: frozenset[str] = self.understood_by.names_in(self)
        return found

    def fields(self, mapping: str) -> frozenset[str]:
        """What it reads of ``call`` or ``item``."""
        found: frozenset[str] = self.understood_by.fields_in(self, mapping)
        return found


class Template(Reading):
    """Text in which ``{{ variable }}`` and ``{{ call.fact }}`` stand for values."""

    __slots__ = ()
    understood_by: ClassVar[Any] = templates


class Expression(Reading):
    """A condition or a computed value."""

    __slots__ = ()
    understood_by: ClassVar[Any] = expressions


# What the patterns mean, for people.
PATTERNS = {
    NodeRef.pattern: "a node id (lower-case letters, digits, _ or -)",
    VariableRef.pattern: "a variable's name (lower-case letters, digits or _)",
    r"^[0-9*#]$": "one key: a digit, * or #",
    NAME: "lower-case letters, digits, _ or -",
    DAYS: "mon, tue, wed, thu, fri, sat or sun, or from one to another: mon-fri",
    HOURS: "hours such as 08:00-13:00",
    DATE: "a day such as 2026-12-24",
    HEADER: "a header's name (letters, digits or -)",
    STATUS: "a status of three digits such as 404",
    ANSWER_PATH: "where it stands in the answer: cuentas.0.saldo, with # for how many",
    r"^[a-z]{2}(-[A-Z0-9]{2,3})?$": "a language such as es or es-EC",
    r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,4}$": "a prompt's name (lower-case letters, digits, _, - or /)",
}
Digit = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Name = Annotated[str, Field(pattern=NAME)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z0-9]{2,3})?$")]
Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class Spec(BaseModel):
    """Base of everything in a flow file: frozen, unknown fields refused. `short` is the field that a bare text where a
    mapping is expected stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    short: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: object) -> object:
        return {cls.short: value} if cls.short and isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler.resolve_ref_schema(handler(schema))
        return {**found, SHORT: cls.short} if cls.short else found


# --- prompts --------------------


class Tone(Spec):
    hz: int = Field(ge=20, le=3900)
    ms: int = Field(ge=10, le=10_000)


class PromptSpec(Spec):
    """A recorded file (with the text that is spoken until it is recorded), or a text, or a tone, or a value said as a
    number, as money, as a date ... (``money: deuda``)."""

    short: ClassVar[str] = "text"

    # Names in the prompt library: no absolute path, no way up.
    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,4}$", max_length=120)] | None = (
        None
    )
    text: Template | None = None
    tone: Tone | None = None
    number: Expression | None = None
    money: Expression | None = Field(default=None, description="dollars, cents behind the point")
    date: Expression | None = Field(default=None, description="of an ISO text or unix seconds; so are the next three")
    day: Expression | None = Field(default=None, description="a date without its year")
    time: Expression | None = None
    moment: Expression | None = Field(default=None, description="day and time")
    digits: Expression | None = Field(default=None, description="one by one")
    phone: Expression | None = None
    duration: Expression | None = Field(default=None, description="of seconds")
    language: Language | None = None

    @model_validator(mode="after")
    def _one_of(self) -> PromptSpec:
        given = sorted(self.model_fields_set - {"language"})
        if given and (len(given) == 1 or given == ["file", "text"]):
            return self
        text = "a prompt is a file, a text, both (the text stands in), a tone, or a value said as {kinds}"
        raise PydanticCustomError("prompt", text, {"kinds": ", ".join(SAYINGS)})

    @property
    def saying(self) -> tuple[str, Expression] | None:
        """The kind of a value that is said, and the value."""
        for kind in self.model_fields_set & SAYINGS.keys():
            expression = getattr(self, kind)
            if expression is not None:
                return kind, expression
        return None


def _one_is_list(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


Prompts = Annotated[
    tuple[PromptSpec, ...],
    BeforeValidator(_one_is_list),
    Field(max_length=20),
]
SomePrompts = Annotated[Prompts, Field(min_length=1)]


# --- variables --------------------


class VariableType(StrEnum):
    TEXT = "text"
    DIGITS = "digits"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


ZEROES: dict[VariableType, Scalar] = {
    VariableType.TEXT: "",
    VariableType.DIGITS: "",
    VariableType.INTEGER: 0,
    VariableType.NUMBER: 0.0,
    VariableType.BOOLEAN: False,
}
MAX_TEXT = 1000
# Exact in JSON everywhere, and no loop can grow a number without end.
MAX_NUMBER = 10**15
_TRUTHS = {"true": True, "yes": True, "sí": True, "si": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "0": False, "": False}


def converted(value: object, wanted: VariableType) -> Scalar:
    """The value as that type; raises ValueError when it cannot be one."""
    if wanted is VariableType.BOOLEAN:
        return _boolean(value)
    if wanted in (VariableType.INTEGER, VariableType.NUMBER):
        return _number(value, wanted)
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise _misfit(value, wanted)
    text = templates.UNPRINTABLE.sub(" ", str(value))
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text has at most {MAX_TEXT} characters")
    if wanted is VariableType.DIGITS and not re.fullmatch(r"[0-9*#]*", text):
        raise ValueError("not digits")
    return text


def _misfit(value: object, wanted: VariableType) -> ValueError:
    return ValueError(f"a {type(value).__name__} is no {wanted}")


def _boolean(value: object) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _TRUTHS:
            raise ValueError(f"{word[:40]!r} is neither true nor false")
        return _TRUTHS[word]
    return bool(value)


def _number(value: object, wanted: VariableType) -> int | float:
    if not isinstance(value, str | int | float):
        raise _misfit(value, wanted)
    if isinstance(value, str) and len(value) > 40:
        raise ValueError("too long for a number")
    number = float(decimal_of(value)) if isinstance(value, str) else float(value)
    if not abs(number) <= MAX_NUMBER:  # also refuses not-a-number
        raise ValueError(f"numbers go up to {MAX_NUMBER}")
    if wanted is VariableType.NUMBER:
        return number
    if not number.is_integer():
        raise ValueError("not a whole number")
    return int(number)


class VariableSpec(Spec):
    """A variable of the call. Without `default` it begins empty, zero or false."""

    short: ClassVar[str] = "type"

    type: VariableType
    default: str | None = None
    private: bool = Field(default=False, description="personal data: kept out of logs")
    description: str = ""

    @model_validator(mode="after")
    def _default_fits(self) -> VariableSpec:
        try:
            self.first()
        except ValueError as error:
            text = "the default does not fit the type: {error}"
            raise PydanticCustomError("default", text, {"error": str(error)}) from error
        return self

    def first(self) -> Scalar:
        """The value it begins with."""
        return ZEROES[self.type] if self.default is None else converted(self.default, self.type)


# --- reading a model by the meaning of its fields --------------------


def words_of(value: object, path: Place = ()) -> Iterator[tuple[Place, Word]]:
    """Every meaningful word in a model with its path in the file."""
    return parts_of(value, Word, path)


def parts_of(value: object, kind: type[Part], path: Place = ()) -> Iterator[tuple[Place, Part]]:
    """Every part of that kind, keys too, with its path in the file; what is within such a part is not looked at."""
    found: list[tuple[Place, Part]] = []
    _gather(value, kind, path, found)
    return iter(found)


# Values that hold no others: most fields of most nodes.
_PLAIN = frozenset({type(None), str, int, float, bool})


@lru_cache(maxsize=256)
def fields_of(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Each field and how it is written."""
    return tuple((name, info.alias or name) for name, info in model.model_fields.items())


class Shape(Enum):
    """How the values of a flow hold others."""

    MODEL = "model"
    MAPPING = "mapping"
    LIST = "list"
    PLAIN = "plain"


_SHAPES: dict[type, Shape] = {}


def shape(kind: type) -> Shape:
    """By type, as the question is asked for every value of every flow, and pydantic takes its time to answer it."""
    found = _SHAPES.get(kind)
    if found is None:
        found = _SHAPES[kind] = _shape(kind)
    return found


def _shape(kind: type) -> Shape:
    if issubclass(kind, BaseModel):
        return Shape.MODEL
    if issubclass(kind, Mapping):
        return Shape.MAPPING
    return Shape.LIST if issubclass(kind, list | tuple) else Shape.PLAIN


def _gather(value: Any, kind: type[Part], path: Place, found: list[tuple[Place, Part]]) -> None:
    if isinstance(value, kind):
        found.append((path, value))
        return
    holds = shape(type(value))
    if holds is Shape.MODEL:
        model: type[BaseModel] = type(value)
        fields = value.__dict__
        for name, alias in fields_of(model):
            item = fields[name]
            if item and type(item) not in _PLAIN:
                _gather(item, kind, (*path, alias), found)
    elif holds is Shape.MAPPING:
        for key, item in value.items():
            if isinstance(key, kind):
                found.append(((*path, str(key)), key))
            if type(item) not in _PLAIN:
                _gather(item, kind, (*path, key), found)
    elif holds is Shape.LIST:
        for index, item in enumerate(value):
            if type(item) not in _PLAIN:
                _gather(item, kind, (*path, index), found)
