"""Figures out of words, as people say them on the telephone: one by one, or in pairs (veintitrés cuarenta y cinco)."""

from __future__ import annotations

import re
import unicodedata

_ES_WORDS = """
    cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete
    dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete
    veintiocho veintinueve
"""
_EN_WORDS = "zero one two three four five six seven eight nine"
_ES = {word: str(number) for number, word in enumerate(_ES_WORDS.split())} | {"un": "1", "una": "1"}
_ES_TENS = {"treinta": 3, "cuarenta": 4, "cincuenta": 5, "sesenta": 6, "setenta": 7, "ochenta": 8, "noventa": 9}
_EN = {word: str(number) for number, word in enumerate(_EN_WORDS.split())} | {"oh": "0"}


def figures(text: str, language: str = "es") -> str:
    """The digits of a text; ``""`` when it holds any other word: half a number is a wrong number."""
    plain = unicodedata.normalize("NFD", text.casefold())
    words = re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
    ones = _EN if language.startswith("en") else _ES
    found, tens = "", ""
    for word in words:
        if tens and word == "y":
            continue
        if tens and len(ones.get(word, "")) == 1 and word not in ("cero", "zero"):
            found, tens = found + tens + ones[word], ""
            continue
        if tens:
            found, tens = found + tens + "0", ""
        if word.isdigit():
            found += word
        elif word in ones:
            found += ones[word]
        elif word in _ES_TENS and ones is _ES:
            tens = str(_ES_TENS[word])
        else:
            return ""
    return found + (tens + "0" if tens else "")
