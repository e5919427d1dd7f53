"""Numbers that identify people in Ecuador, with their check digits."""

from __future__ import annotations

import re

# 24 provinces; 30 stands for Ecuadorians registered abroad.
_PROVINCES = frozenset({*range(1, 25), 30})
_CEDULA = (2, 1, 2, 1, 2, 1, 2, 1, 2)
_PUBLIC = (3, 2, 7, 6, 5, 4, 3, 2)
_PRIVATE = (4, 3, 2, 7, 6, 5, 4, 3, 2)


def is_cedula(text: str) -> bool:
    """Ten digits: province, third digit below six, and a check digit of modulus ten."""
    if not re.fullmatch(r"[0-9]{10}", text) or int(text[:2]) not in _PROVINCES or int(text[2]) > 5:
        return False
    total = sum(_digit_sum(int(d) * weight) for d, weight in zip(text, _CEDULA, strict=False))
    return (10 - total % 10) % 10 == int(text[9])


def _digit_sum(product: int) -> int:
    return product - 9 if product > 9 else product


def is_ruc(text: str) -> bool:
    """Thirteen digits: of a person (a cédula and 001), of a private company or a public body (modulus eleven)."""
    if not re.fullmatch(r"[0-9]{13}", text) or int(text[:2]) not in _PROVINCES:
        return False
    kind = int(text[2])
    if kind < 6:
        return is_cedula(text[:10]) and text[10:] != "000"
    if kind == 6:
        return text[9:] != "0000" and _modulus_11(text, _PUBLIC) == int(text[8])
    return kind == 9 and text[10:] != "000" and _modulus_11(text, _PRIVATE) == int(text[9])


def _modulus_11(text: str, weights: tuple[int, ...]) -> int:
    """The check digit; 10, which no digit is, where the remainder is one."""
    total = sum(int(d) * weight for d, weight in zip(text, weights, strict=False))
    return (11 - total % 11) % 11


def is_phone(text: str) -> bool:
    """A number of Ecuador that can be called: mobile, land line with area code, or of Azuay without."""
    return re.fullmatch(r"09[0-9]{8}|0[2-7][2-7][0-9]{6}|[2-7][0-9]{6}", text) is not None


def full_phone(text: str) -> str:
    """With the area code: seven digits are a land line of Azuay."""
    return f"07{text}" if len(text) == 7 else text
