"""What can go wrong with a SIP peer."""

from __future__ import annotations

from sipmessage import Response

from foundation.errors import RimayError


class SipError(RimayError):
    """A SIP peer said no, or the call is in no state for this."""

    code = "sip.error"


class CallOver(SipError):
    code = "sip.call_over"
    is_permanent = True


class SipRefused(SipError):
    """The peer answered a request inside the call with an error; `status` is its SIP status."""

    code = "sip.refused"

    def __init__(self, method: str, response: Response) -> None:
        super().__init__(f"{method} was answered {response.code} {response.phrase}", status=response.code)
        self.status = response.code
