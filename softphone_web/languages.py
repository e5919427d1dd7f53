"""The language that a request asks to be answered in."""

from __future__ import annotations

from softphone_web.call import Call


def first_language(call: Call) -> str:
    """The first that `Accept-Language` names, without its region: "es"; empty where it names none."""
    first = call.request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip().lower()
    return first.partition("-")[0]


def wants_spanish(call: Call) -> bool:
    """A program that names no language reads English."""
    return first_language(call) == "es"
