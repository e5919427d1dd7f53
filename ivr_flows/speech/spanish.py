"""Numbers, money, dates and times in the Spanish of Ecuador, as a person at a counter in Cuenca would say them."""

from __future__ import annotations

import datetime as dt
import re

from ivr_flows.amounts import MAX_SAID, parts_of_money, parts_of_number, sayable
from ivr_flows.speech.grouping import in_threes, of_phone

_SMALL = (
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
)
_TENS = ("", "", "veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_HUNDREDS = (
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
)
MONTHS = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()  # noqa: SIM905
)
DAYS = "lunes martes miércoles jueves viernes sábado domingo".split()  # noqa: SIM905


def cardinal(number: int, *, before_noun: bool = False, feminine: bool = False) -> str:
    """``21`` is ``veintiuno``, before a noun ``veintiún`` (dólares), feminine ``veintiuna``."""
    if abs(number) > MAX_SAID:
        raise ValueError("the number is too large to be said")
    if number < 0:
        return f"menos {cardinal(-number, before_noun=before_noun, feminine=feminine)}"
    words = _whole(number)
    if feminine:
        return _feminine(words)
    return _shortened(words) if before_noun else words


def _whole(number: int) -> str:
    if number < 1000:
        return _below_thousand(number)
    for size, one, many in ((10**12, "un billón", "billones"), (10**6, "un millón", "millones")):
        if number >= size:
            head, rest = divmod(number, size)
            words = one if head == 1 else f"{_shortened(_whole(head))} {many}"
            return words if rest == 0 else f"{words} {_whole(rest)}"
    head, rest = divmod(number, 1000)
    words = "mil" if head == 1 else f"{_shortened(_below_thousand(head))} mil"
    return words if rest == 0 else f"{words} {_below_thousand(rest)}"


def _below_thousand(number: int) -> str:
    if number == 100:
        return "cien"
    hundreds, rest = divmod(number, 100)
    words = [_HUNDREDS[hundreds]] if hundreds else []
    if rest or not hundreds:
        words.append(_below_hundred(rest))
    return " ".join(words)


def _below_hundred(number: int) -> str:
    if number < len(_SMALL):
        return _SMALL[number]
    tens, unit = divmod(number, 10)
    return _TENS[tens] if unit == 0 else f"{_TENS[tens]} y {_SMALL[unit]}"


def _shortened(words: str) -> str:
    """Before a noun: un, veintiún, treinta y un."""
    if words.endswith("veintiuno"):
        return f"{words[:-9]}veintiún"
    return words[:-1] if words.endswith("uno") else words


def _feminine(words: str) -> str:
    """Hundreds and a last one follow the noun's gender; what counts millions does not."""
    millions, mark, rest = words.rpartition("illones ")
    if not mark:
        millions, mark, rest = words.rpartition("illón ")
    rest = rest.replace("cientos", "cientas").replace("quinientos", "quinientas")
    rest = f"{rest[:-1]}a" if rest.endswith("uno") else rest
    return millions + mark + rest


def number(value: object) -> str:
    """A whole or decimal number: ``3.5`` is ``tres coma cinco``."""
    negative, whole, fraction = parts_of_number(value)
    words = cardinal(whole)
    if fraction:
        zeros = len(fraction) - len(fraction.lstrip("0"))
        words += " coma " + " ".join([*["cero"] * zeros, cardinal(int(fraction))])
    return ("menos " if negative else "") + words


def money(value: object) -> str:
    """Dollars and cents of the United States, Ecuador's money: ``doce dólares con cincuenta centavos``."""
    negative, dollars, cents = parts_of_money(value)
    parts = []
    if dollars or not cents:
        # "un millón de dólares", but "un millón cien dólares"
        of = "de " if dollars and dollars % 10**6 == 0 else ""
        parts.append(f"{cardinal(dollars, before_noun=True)} {of}{'dólar' if dollars == 1 else 'dólares'}")
    if cents:
        parts.append(f"{cardinal(cents, before_noun=True)} {'centavo' if cents == 1 else 'centavos'}")
    return ("menos " if negative else "") + " con ".join(parts)


def date(day: dt.date, *, year: bool = True, weekday: bool = True) -> str:
    """``lunes dos de marzo de dos mil veintiséis``; the first of a month is ``primero``."""
    words = f"{'primero' if day.day == 1 else cardinal(day.day)} de {MONTHS[day.month - 1]}"
    if weekday:
        words = f"{DAYS[day.weekday()]} {words}"
    return f"{words} de {cardinal(day.year)}" if year else words


def time(moment: dt.time) -> str:
    """``las tres y media de la tarde``: the clock of twelve hours and the part of the day."""
    hour = moment.hour % 12 or 12
    words = f"{'la' if hour == 1 else 'las'} {cardinal(hour, feminine=True)}"
    if moment.minute == 30:
        words += " y media"
    elif moment.minute:
        words += f" y {cardinal(moment.minute)}"
    return f"{words} {_part_of_day(moment.hour, moment.minute)}"


def _part_of_day(hour: int, minute: int) -> str:
    if hour == 0:
        return "de la noche"
    if hour < 5:
        return "de la madrugada"
    if hour < 12:
        return "de la mañana"
    if hour == 12 and minute == 0:
        return "del mediodía"
    return "de la tarde" if hour < 19 else "de la noche"


def moment(when: dt.datetime) -> str:
    return f"{date(when.date(), year=False)} a {time(when.time())}"


def digits(text: str) -> str:
    """One by one, in groups of three that a pause divides: what people write down."""
    return ", ".join(_one_by_one(group) for group in in_threes(text))


def phone(text: str) -> str:
    return ", ".join(_one_by_one(group) for group in of_phone(text))


def count(value: object, noun: str, plural: str = "", gender: str = "") -> str:
    """So many of a noun: ``veintiuna personas``, ``un minuto``, ``veintiún días``. `plural` and `gender` (``m`` or
    ``f``) need to be said only where the rules of the language do not give them."""
    amount = sayable(value)
    many = plural or _plural(noun)
    feminine = (gender or ("f" if _is_feminine(noun) else "m")) == "f"
    if amount != amount.to_integral_value():
        return f"{number(amount)} {many}"
    whole = int(amount)
    # "un millón de personas", but "un millón cien personas"
    of = "de " if whole and whole % 10**6 == 0 else ""
    words = cardinal(whole, before_noun=True, feminine=feminine)
    return f"{words} {of}{noun if abs(whole) == 1 else many}"


# Masculine nouns in -a, and what comes from Greek in -ma; the others follow their ends.
_MASCULINE_A = re.compile(r"(?:^día|^mapa|^planeta|^tranvía|^cura|[^i]ema|oma|rama|gma|clima)$")
_FEMININE = re.compile(
    r"(?:a|ción|sión|zón|dad|tad|tud|umbre|^calle|^clase|^noche|^tarde|^llave|^mano|^vez|^red|^base)$"
)


def _is_feminine(noun: str) -> bool:
    first = noun.split(maxsplit=1)[0].casefold() if noun.strip() else ""
    return _FEMININE.search(first) is not None and _MASCULINE_A.search(first) is None


def _plural(noun: str) -> str:
    """Of one word; for more than one the flow says it."""
    if noun.endswith(("s", "x")):
        return noun
    if noun[-1:] in "aeiouáéó":
        return f"{noun}s"
    if noun.endswith("z"):
        return f"{noun[:-1]}ces"
    for accented, plain in (("ón", "on"), ("én", "en"), ("ín", "in"), ("án", "an"), ("ún", "un")):
        if noun.endswith(accented):
            return f"{noun[:-2]}{plain}es"
    return f"{noun}es"


def duration(seconds: float) -> str:
    """How long a wait will be, no more exactly than one can know it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "menos de un minuto"
    return count(minutes, "minuto") if minutes < 60 else count(round(minutes / 60), "hora")


_SIGNS = {"*": "asterisco", "#": "numeral", "+": "más"}


def _one_by_one(text: str) -> str:
    return " ".join(_SIGNS[c] if c in _SIGNS else _SMALL[int(c)] for c in text)
