"""Numbers as people and their systems write them: ``1234.56``, ``1.234,56``, ``0,05``, ``1.000.000``, ``$5``."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

# Beyond this no language here has words.
MAX_SAID = 10**15
# Beyond this many decimals nobody keeps a number in mind.
_DECIMALS = 3
# What stands around an amount and is not part of it.
_AROUND = re.compile(r"^(?P<sign>[-+]?)\s*(?:US\$|USD|\$)?\s*(?P<rest>.+?)\s*(?:USD|dólares)?$", re.IGNORECASE)
_IN_THREES = re.compile(r"\d{1,3}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*")


def decimal_of(value: object) -> Decimal:
    """The number that a text (or a number) writes. A mark that stands once is the decimal one, a point or a comma; one
    that stands more often parts thousands, and of two the last is the decimal one. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("not a number")  # noqa: TRY004 - one kind of error for whatever is none
    text = str(value).strip()[:40]
    try:
        return Decimal(text)
    except ArithmeticError:
        pass
    try:
        return Decimal(_plain(text))
    except ArithmeticError as error:
        raise ValueError(f"{text!r} is not a number") from error


def _plain(text: str) -> str:
    """As Python writes it; whatever is no number stays none."""
    found = _AROUND.match(text)
    if found is None:
        return ""
    whole, mark, fraction = _parted(found["rest"])
    if any(each in whole for each in ".,"):
        if not _IN_THREES.fullmatch(whole):
            return ""
        whole = whole.replace(".", "").replace(",", "")
    return f"{found['sign']}{whole}.{fraction}" if mark else found["sign"] + whole


def _parted(text: str) -> tuple[str, str, str]:
    """Before the decimal mark, the mark, and behind it."""
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return text, "", ""
    mark, other = text[last], "," if text[last] == "." else "."
    if text.count(mark) > 1:
        # One mark, many times: thousands; both marks, the last many times: no number that anybody writes.
        return (text, "", "") if other not in text else ("", "", "")
    return text[:last], mark, text[last + 1 :]


# --- as any language says them --------------------


def sayable(value: object) -> Decimal:
    """As `decimal_of`, of what there are words for. Raises ValueError."""
    amount = decimal_of(value)
    if not amount.is_finite() or abs(amount) > MAX_SAID:
        raise ValueError("the number is too large to be said")
    return amount


def parts_of_number(value: object) -> tuple[bool, int, str]:
    """Whether it is negative, the whole part, and the digits of the fraction, rounded to those that are said."""
    amount = sayable(value).quantize(Decimal(1).scaleb(-_DECIMALS), ROUND_HALF_UP).normalize()
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    return amount < 0, int(whole), fraction


def parts_of_money(value: object) -> tuple[bool, int, int]:
    """Whether it is negative, dollars and cents, rounded to the cent."""
    cents = int((sayable(value) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    return cents < 0, *divmod(abs(cents), 100)
