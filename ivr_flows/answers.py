"""What keys may mean (`collect ... as: cedula`): how many there are, whether they are valid, the value they stand for,
and how it is read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ivr_flows.identity import full_phone, is_cedula, is_phone, is_ruc
from ivr_flows.speech.saying import say


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """`value` gives what is stored, or None for keys that are none of this kind; `example` is one that is stored;
    `wrong` is told to the caller."""

    shortest: int
    longest: int
    value: Callable[[str], str | None]
    saying: str
    example: str
    wrong: Mapping[str, str]


def _if(good: Callable[[str], bool]) -> Callable[[str], str | None]:
    return lambda keys: keys if good(keys) else None


def _phone(keys: str) -> str | None:
    return full_phone(keys) if is_phone(keys) else None


def _date(keys: str) -> str | None:
    """Day, month and year in eight keys."""
    if len(keys) != 8 or not keys.isdigit():
        return None
    try:
        return dt.date(int(keys[4:]), int(keys[2:4]), int(keys[:2])).isoformat()
    except ValueError:
        return None


def _amount(keys: str) -> str | None:
    """Dollars, and cents behind a star: ``12*50``."""
    dollars, star, cents = keys.partition("*")
    if not dollars.isdigit() or (star and not (cents.isdigit() and len(cents) <= 2)):
        return None
    return f"{int(dollars)}.{cents.ljust(2, '0')}" if star else f"{int(dollars)}.00"


WRONG_NUMBER: Mapping[str, str] = {"es": "Ese número no es correcto.", "en": "That number is not correct."}
KINDS: Mapping[str, AnswerKind] = {
    "digits": AnswerKind(1, 40, lambda keys: keys, "digits", "1", WRONG_NUMBER),
    "cedula": AnswerKind(
        10,
        10,
        _if(is_cedula),
        "digits",
        "1710034065",
        {"es": "Ese número de cédula no es correcto.", "en": "That identity card number is not correct."},
    ),
    "ruc": AnswerKind(
        13,
        13,
        _if(is_ruc),
        "digits",
        "1790016919001",
        {"es": "Ese número de RUC no es correcto.", "en": "That tax number is not correct."},
    ),
    "identity": AnswerKind(
        10,
        13,
        _if(lambda keys: is_cedula(keys) or is_ruc(keys)),
        "digits",
        "1710034065",
        {"es": "Ese número de cédula o RUC no es correcto.", "en": "That identity number is not correct."},
    ),
    "contract": AnswerKind(
        4,
        12,
        _if(str.isdigit),
        "digits",
        "204510",
        {"es": "Ese número de contrato no es correcto.", "en": "That contract number is not correct."},
    ),
    "phone": AnswerKind(
        7,
        10,
        _phone,
        "phone",
        "0987654321",
        {"es": "Ese número de teléfono no es correcto.", "en": "That telephone number is not correct."},
    ),
    "date": AnswerKind(
        8,
        8,
        _date,
        "date",
        "2026-01-31",
        {
            "es": "Esa fecha no es correcta. Digite dos números para el día, dos para el mes y cuatro para el año.",
            "en": "That date is not correct. Enter two digits for the day, two for the month, four for the year.",
        },
    ),
    "amount": AnswerKind(
        1,
        10,
        _amount,
        "money",
        "12.50",
        {
            "es": "Ese valor no es correcto. Digite los dólares, asterisco, y los centavos.",
            "en": "That amount is not correct. Enter dollars, star, and cents.",
        },
    ),
}


def read_back(kind: str, value: object, language: str) -> str:
    return say(KINDS[kind].saying, value, language)
