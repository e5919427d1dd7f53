"""The base of all our errors: a stable code for programs, a sentence for people, and whether trying again can help."""

from __future__ import annotations

from typing import Any, ClassVar


class RimayError(Exception):
    """Base error. `code` is stable and dotted (``switch.channel_gone``); `is_permanent` says that the same request
    will fail again; `facts` are shown to people and must hold no secret and no personal data."""

    code: ClassVar[str] = "rimay.error"
    is_permanent: ClassVar[bool] = False

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(RimayError):
    code = "not_found"
    is_permanent = True


class Conflict(RimayError):
    """The thing is not in a state that allows this."""

    code = "conflict"


class Invalid(RimayError):
    """The request itself is wrong."""

    code = "invalid"
    is_permanent = True


class Denied(RimayError):
    code = "denied"
    is_permanent = True


class Unauthenticated(RimayError):
    code = "unauthenticated"
    is_permanent = True


class TooMany(RimayError):
    """Asked too often; `retry_after_s` says when the next attempt counts."""

    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int, **facts: Any) -> None:
        super().__init__(message, retry_after_s=retry_after_s, **facts)
        self.retry_after_s = retry_after_s


class Unavailable(RimayError):
    """Something we stand on (database, bus, switch) does not answer now."""

    code = "unavailable"
