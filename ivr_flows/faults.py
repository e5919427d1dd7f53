"""What can go wrong while a flow runs."""

from __future__ import annotations

from typing import Any

from foundation.errors import Conflict, Invalid, NotFound, RimayError


class FlowFault(RimayError):
    """The flow itself cannot go on from here; the engine leads the caller to `on_error` or to an apology."""

    code = "flow.fault"

    def __init__(self, reason: str, message: str, **facts: Any) -> None:
        super().__init__(message, reason=reason, **facts)
        self.reason = reason  # stable and dotted: ``limit.steps``, ``template``, ``expression``


class UnexpectedInput(Conflict):
    """This input is not what the flow waits for: the runner and the engine disagree about where the call is."""

    code = "flow.unexpected_input"


class BadState(Invalid):
    """A stored state that cannot be read."""

    code = "flow.bad_state"


class NoFlow(NotFound):
    """No flow is loaded for this number, name or version."""

    code = "flow.none"
