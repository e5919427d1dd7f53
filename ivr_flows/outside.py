"""What comes from outside of a flow, made plain and bounded: some of it was written by a stranger's telephone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr_flows.protocol import (
    Collect,
    Collected,
    CollectEnd,
    Waiting,
)
from ivr_flows.templates import UNPRINTABLE
from ivr_flows.terms import MAX_NUMBER, Scalar

MAX_FACTS = 100
MAX_FACT = 500


def clean_facts(facts: Mapping[str, object]) -> dict[str, Any]:
    """Facts as flat, bounded, plain data: some were written by a stranger's telephone."""
    return {cleaned(str(name))[:64]: _clean_fact(value) for name, value in list(facts.items())[:MAX_FACTS]}


def _clean_fact(value: object) -> Scalar | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= MAX_NUMBER:
        return value
    return cleaned(str(value))


def cleaned(text: str) -> str:
    return UNPRINTABLE.sub(" ", text[:MAX_FACT])


def only_digits(heard: Collected, asked: Waiting | None) -> Collected:
    """Keys and words as a node may see them: no more than were asked for, and nothing that is no key."""
    most = asked.max_digits if isinstance(asked, Collect) else 0
    digits = "".join(d for d in heard.digits if d in "0123456789*#ABCD")[:most]
    phrase = cleaned(heard.phrase).strip().casefold()
    if isinstance(asked, Collect) and asked.spoken_digits and not digits and phrase.isascii() and phrase.isdigit():
        # Who says their digits has keyed them.
        return Collected(phrase[:most], CollectEnd.COMPLETE)
    return Collected(digits, heard.end, phrase)
