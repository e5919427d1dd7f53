"""The language that a request asks to be answered in."""

from __future__ import annotations

from callcontrol.routing.why import Language
from softphone_web.call import Call


def _first_language(call: Call) -> str:
    """The first that `Accept-Language` names, without its region: "es"; empty where it names none."""
    first = call.request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip().lower()
    return first.partition("-")[0]


def explained_in(call: Call) -> Language:
    """For people: English to who names it first, else Spanish."""
    return "en" if _first_language(call) == "en" else "es"


def wants_spanish(call: Call) -> bool:
    """A program that names no language reads English."""
    return _first_language(call) == "es"
