"""A small SIP phone with real audio. `SipPhone` and `PhoneCall` are the whole of it for other rooms."""

from pbx.sip.agent import SipPhone
from pbx.sip.call import PhoneCall
from pbx.sip.errors import CallOver, SipError, SipRefused

__all__ = ["CallOver", "PhoneCall", "SipError", "SipPhone", "SipRefused"]
