"""Digits in groups that a pause divides: how people write down what they are told, in any language."""

from __future__ import annotations


def in_threes(text: str) -> list[str]:
    """Groups of three; a single one left over joins the last group."""
    return _cut(text, _threes(len(text)))


def of_phone(text: str) -> list[str]:
    """As numbers are given in Ecuador: mobiles three, three, four; land lines area code, three, four."""
    national = national_number(text)
    if len(national) == 10 and national.startswith("09"):
        sizes = [3, 3, 4]
    elif len(national) == 9 and national.startswith("0"):
        sizes = [2, 3, 4]
    else:
        sizes = _threes(len(national))
    return _cut(national, sizes)


def national_number(text: str) -> str:
    """Digits only, Ecuador's own numbers with their zero; others with the country code behind a plus."""
    plain = "".join(c for c in text if c.isascii() and (c.isdigit() or c in "+*#"))
    for prefix in ("+593", "00593", "593"):
        if plain.startswith(prefix) and len(plain) - len(prefix) in (8, 9):
            return "0" + plain[len(prefix) :]
    return plain


def _threes(length: int) -> list[int]:
    sizes = [3] * (length // 3)
    rest = length % 3
    if rest == 1 and sizes:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes


def _cut(text: str, sizes: list[int]) -> list[str]:
    groups, start = [], 0
    for size in sizes:
        groups.append(text[start : start + size])
        start += size
    return groups
